#include "views/panels/picture_textures.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <imgui_internal.h>

namespace moescope::views {

// All textures of one context; owned by the context through its shutdown hook.
class ContextTextures {
 public:
  static std::shared_ptr<ContextTextures> of_current_context() {
    ImGuiContext* context = ImGui::GetCurrentContext();
    for (const ImGuiContextHook& hook : context->Hooks)
      if (hook.Callback == &shut_down && hook.Type == ImGuiContextHookType_Shutdown)
        return *static_cast<std::shared_ptr<ContextTextures>*>(hook.UserData);
    auto made = std::make_shared<ContextTextures>();
    ImGuiContextHook hook;
    hook.Type = ImGuiContextHookType_Shutdown;
    hook.Callback = &shut_down;
    hook.UserData = new std::shared_ptr<ContextTextures>(made);  // deleted by shut_down()
    ImGui::AddContextHook(context, &hook);
    return made;
  }

  ImTextureData* make(int width, int height) {
    collect();
    textures_.push_back(std::make_unique<ImTextureData>());
    ImTextureData* texture = textures_.back().get();
    texture->Create(ImTextureFormat_RGBA32, width, height);
    texture->UseColors = true;
    ImGui::RegisterUserTexture(texture);
    return texture;
  }

  // No draw list of this frame may use it any more.
  static void release(ImTextureData* texture) {
    texture->WantDestroyNextFrame = true;  // else SetStatus(destroyed) would ask for it again
    texture->UnusedFrames = 1;
    texture->SetStatus(texture->TexID == ImTextureID_Invalid ? ImTextureStatus_Destroyed : ImTextureStatus_WantDestroy);
  }

 private:
  void collect() {
    const auto gone = [](const std::unique_ptr<ImTextureData>& texture) {
      if (texture->Status != ImTextureStatus_Destroyed || !texture->WantDestroyNextFrame) return false;
      ImGui::UnregisterUserTexture(texture.get());
      return true;
    };
    textures_.erase(std::remove_if(textures_.begin(), textures_.end(), gone), textures_.end());
  }

  static void shut_down(ImGuiContext*, ImGuiContextHook* hook) {
    delete static_cast<std::shared_ptr<ContextTextures>*>(hook->UserData);
  }

  std::vector<std::unique_ptr<ImTextureData>> textures_;
};

namespace {

void fill(ImTextureData& texture, const Picture& picture) {
  std::memcpy(texture.Pixels, picture.rgba.data(), static_cast<std::size_t>(texture.GetSizeInBytes()));
  if (texture.Status == ImTextureStatus_OK) {
    texture.Updates.resize(0);
    texture.UpdateRect = {0, 0, 0, 0};
  }
  ImTextureDataQueueUpload(&texture, 0, 0, texture.Width, texture.Height);
}

}  // namespace

PictureTextures::~PictureTextures() {
  // A context that is gone has taken its textures along.
  if (const auto context = context_.lock())
    for (auto& [id, entry] : entries_) ContextTextures::release(entry.data);
}

void PictureTextures::attach() {
  if (!context_.expired()) return;
  entries_.clear();
  context_ = ContextTextures::of_current_context();
}

ImTextureData* PictureTextures::texture(const Picture& picture) {
  const bool has_textures = (ImGui::GetIO().BackendFlags & ImGuiBackendFlags_RendererHasTextures) != 0;
  const auto pixels =
      static_cast<std::size_t>(std::max(0, picture.width)) * static_cast<std::size_t>(std::max(0, picture.height));
  if (!has_textures || pixels == 0 || picture.rgba.size() < pixels) return nullptr;
  attach();
  Entry& entry = entries_[picture.id];
  const bool fits = entry.data && entry.data->Width == picture.width && entry.data->Height == picture.height;
  if (fits && entry.version == picture.version) return entry.data;
  if (!fits) {
    if (entry.data) ContextTextures::release(entry.data);
    entry.data = context_.lock()->make(picture.width, picture.height);
  }
  entry.version = picture.version;
  fill(*entry.data, picture);
  return entry.data;
}

}  // namespace moescope::views
