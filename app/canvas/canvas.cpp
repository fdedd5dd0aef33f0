#include "app/canvas/canvas.h"

#include <algorithm>

#include <imgui_impl_opengl3.h>

#include "app/canvas/canvas_fonts.h"
#include "app/canvas/canvas_style.h"

namespace moescope::app {
namespace {

// Time since the last frame as widgets see it: a canvas that slept must not make a tween jump, and none may stand
// still.
constexpr float kShortestStep = 0.001F;
constexpr float kLongestStep = 0.1F;

}  // namespace

Canvas::Canvas(std::unique_ptr<views::View> view, CanvasHost host) : view_(std::move(view)), host_(std::move(host)) {
  context_ = ImGui::CreateContext();
  ImGui::SetCurrentContext(context_);
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.LogFilename = nullptr;
  io.BackendPlatformName = "moescope";
  io.BackendFlags |= ImGuiBackendFlags_HasMouseCursors;
  io.ConfigInputTrickleEventQueue = true;
  fonts_ = load_fonts(*io.Fonts);
  views::set_fonts(&fonts_);
  connect_platform();
}

Canvas::~Canvas() {
  ImGui::SetCurrentContext(context_);
  view_.reset();  // a view may hold textures of this context
  ImGui::DestroyContext(context_);
}

void Canvas::connect_platform() {
  ImGuiPlatformIO& platform = ImGui::GetPlatformIO();
  platform.Platform_ClipboardUserData = this;
  platform.Platform_GetClipboardTextFn = [](ImGuiContext*) {
    auto* self = static_cast<Canvas*>(ImGui::GetPlatformIO().Platform_ClipboardUserData);
    self->clipboard_ = self->host_.clipboard ? self->host_.clipboard() : std::string();
    return self->clipboard_.c_str();
  };
  platform.Platform_SetClipboardTextFn = [](ImGuiContext*, const char* text) {
    auto* self = static_cast<Canvas*>(ImGui::GetPlatformIO().Platform_ClipboardUserData);
    if (self->host_.set_clipboard) self->host_.set_clipboard(text);
  };
  platform.Platform_ImeUserData = this;
  platform.Platform_SetImeDataFn = [](ImGuiContext*, ImGuiViewport*, ImGuiPlatformImeData* data) {
    auto* self = static_cast<Canvas*>(ImGui::GetPlatformIO().Platform_ImeUserData);
    self->text_cursor_.reset();
    if (data->WantVisible) self->text_cursor_ = {data->InputPos.x, data->InputPos.y, 1, data->InputLineHeight};
  };
}

void Canvas::mouse_moved(views::Vec2 at) {
  ImGui::SetCurrentContext(context_);
  ImGui::GetIO().AddMousePosEvent(at.x, at.y);
}

void Canvas::mouse_left() {
  ImGui::SetCurrentContext(context_);
  ImGui::GetIO().AddMousePosEvent(-FLT_MAX, -FLT_MAX);
}

void Canvas::mouse_button(int button, bool down) {
  ImGui::SetCurrentContext(context_);
  if (button >= 0 && button < ImGuiMouseButton_COUNT) ImGui::GetIO().AddMouseButtonEvent(button, down);
}

void Canvas::wheel(float x, float y) {
  ImGui::SetCurrentContext(context_);
  ImGui::GetIO().AddMouseWheelEvent(x, y);
}

void Canvas::key(ImGuiKey key, bool down) {
  ImGui::SetCurrentContext(context_);
  ImGui::GetIO().AddKeyEvent(key, down);
}

void Canvas::modifiers(bool ctrl, bool shift, bool alt, bool super) {
  ImGui::SetCurrentContext(context_);
  ImGuiIO& io = ImGui::GetIO();
  io.AddKeyEvent(ImGuiMod_Ctrl, ctrl);
  io.AddKeyEvent(ImGuiMod_Shift, shift);
  io.AddKeyEvent(ImGuiMod_Alt, alt);
  io.AddKeyEvent(ImGuiMod_Super, super);
}

void Canvas::text(const std::string& utf8) {
  ImGui::SetCurrentContext(context_);
  ImGui::GetIO().AddInputCharactersUTF8(utf8.c_str());
}

void Canvas::focus(bool focused) {
  ImGui::SetCurrentContext(context_);
  ImGui::GetIO().AddFocusEvent(focused);
  if (focused) view_->take_focus();
}

bool Canvas::navigate(const views::ViewContext& context, int dx, int dy, bool enter) {
  ImGui::SetCurrentContext(context_);
  return view_->key(context, dx, dy, enter);
}

bool Canvas::wants_text() const {
  ImGui::SetCurrentContext(context_);
  return ImGui::GetIO().WantTextInput;
}

void Canvas::begin_frame(views::Size size, float pixel_ratio) {
  if (!on_gpu_) on_gpu_ = ImGui_ImplOpenGL3_Init("#version 330");
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {size.w, size.h};
  io.DisplayFramebufferScale = {pixel_ratio, pixel_ratio};
  const auto now = std::chrono::steady_clock::now();
  const float elapsed = std::chrono::duration<float>(now - last_frame_).count();
  io.DeltaTime = std::clamp(elapsed, kShortestStep, kLongestStep);
  last_frame_ = now;
  ImGui_ImplOpenGL3_NewFrame();
  ImGui::NewFrame();
}

void Canvas::draw(const views::ViewContext& context, views::Size size, float pixel_ratio) {
  ImGui::SetCurrentContext(context_);
  if (styled_for_ != context.palette.theme) {
    apply_style(ImGui::GetStyle(), context.palette);
    styled_for_ = context.palette.theme;
  }
  begin_frame(size, pixel_ratio);
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize({size.w, size.h});
  constexpr ImGuiWindowFlags kBare = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                     ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoBackground |
                                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollWithMouse;
  ImGui::Begin("canvas", nullptr, kBare);
  view_->draw(context, size);
  ImGui::End();
  cursor_ = ImGui::GetMouseCursor();
  ImGui::Render();
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  if (after_draw) after_draw();
}

void Canvas::release_gl() {
  if (!on_gpu_) return;
  ImGui::SetCurrentContext(context_);
  ImGui_ImplOpenGL3_Shutdown();
  on_gpu_ = false;
}

}  // namespace moescope::app
