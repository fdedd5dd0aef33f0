#pragma once
// Dear ImGui hosting one view: a context of its own with its own font atlas, fed with input events by whoever owns the
// window, drawn with OpenGL 3.3 into the framebuffer that is bound. It knows neither Qt nor which window it is in.
// Not here: when to repaint, and where the pixels go.
// Threads: UI thread only. Every entry point makes its own ImGui context the current one.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <imgui.h>

#include "views/panels/fonts.h"
#include "views/view.h"

namespace moescope::app {

/// What a canvas asks of the window it lives in.
struct CanvasHost {
  std::function<std::string()> clipboard;
  std::function<void(const std::string&)> set_clipboard;
};

class Canvas {
 public:
  Canvas(std::unique_ptr<views::View> view, CanvasHost host);
  /// Requires: release_gl() after the last draw().
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  void mouse_moved(views::Vec2 at);
  void mouse_left();
  void mouse_button(int button, bool down);
  void wheel(float x, float y);
  void key(ImGuiKey key, bool down);
  void modifiers(bool ctrl, bool shift, bool alt, bool super);
  void text(const std::string& utf8);
  /// Without the focus every key counts as released.
  void focus(bool focused);
  /// Moves the view's focus mark; false when the view has no use for it.
  bool navigate(const views::ViewContext& context, int dx, int dy, bool enter);

  /// One frame of `size` logical pixels. Requires: an OpenGL 3.3 context is current, its framebuffer bound and cleared.
  void draw(const views::ViewContext& context, views::Size size, float pixel_ratio);
  /// Lets go of everything on the GPU; the next draw() makes it anew. Requires: the same GL context is current.
  void release_gl();

  /// A text field is being edited: keys belong to it, not to shortcuts.
  bool wants_text() const;
  /// Where an input method should open its window.
  std::optional<views::Rect> text_cursor() const { return text_cursor_; }
  ImGuiMouseCursor cursor() const { return cursor_; }
  views::View& view() { return *view_; }
  const views::View& view() const { return *view_; }
  /// For the test engine.
  ImGuiContext* imgui_context() { return context_; }
  /// Called after each frame, while its ImGui context is current. For the test engine.
  std::function<void()> after_draw;

 private:
  void begin_frame(views::Size size, float pixel_ratio);
  void connect_platform();

  std::unique_ptr<views::View> view_;
  CanvasHost host_;
  ImGuiContext* context_ = nullptr;
  views::Fonts fonts_;
  bool on_gpu_ = false;
  std::optional<views::Theme> styled_for_;
  std::string clipboard_;  ///< ImGui keeps a pointer into it
  std::optional<views::Rect> text_cursor_;
  ImGuiMouseCursor cursor_ = ImGuiMouseCursor_Arrow;
  std::chrono::steady_clock::time_point last_frame_{};
};

}  // namespace moescope::app
