#pragma once
// Textures for a scene's Pictures. The ImTextureData objects belong to the ImGui context they were made in and go with
// it, or one frame after their painter let go of them, because the back end still has to delete its copy.
// Threads: UI thread only, the context current.

#include <cstdint>
#include <map>
#include <memory>

#include <imgui.h>

#include "views/scene/scene.h"

namespace moescope::views {

class ContextTextures;

class PictureTextures {
 public:
  PictureTextures() = default;
  ~PictureTextures();
  PictureTextures(const PictureTextures&) = delete;
  PictureTextures& operator=(const PictureTextures&) = delete;

  /// The texture holding `picture`, uploaded anew only when id, version or size changed; nullptr where the back end
  /// has no textures of its own (then nothing can be drawn).
  ImTextureData* texture(const Picture& picture);

 private:
  struct Entry {
    ImTextureData* data = nullptr;
    std::uint64_t version = 0;
  };
  void attach();

  std::weak_ptr<ContextTextures> context_;
  std::map<std::uint32_t, Entry> entries_;
};

}  // namespace moescope::views
