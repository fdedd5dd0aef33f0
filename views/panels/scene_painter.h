#pragma once
// Paints a Scene with ImGui draw lists: the only place where shapes become vertices. Also the tooltip and the focus
// mark, so that every view looks alike. Threads: UI thread only, between NewFrame() and Render().

#include <string>

#include <imgui.h>

#include "views/panels/picture_textures.h"
#include "views/scene/palette.h"
#include "views/scene/scene.h"

namespace moescope::views {

class ScenePainter {
 public:
  /// Paints into the current window's draw list, the scene's origin at `origin` (screen coordinates).
  void paint(const Scene& scene, ImVec2 origin);

 private:
  void draw(const Box& box);
  void draw(const Ribbon& ribbon);
  void draw(const Line& line);
  void draw(const Band& band);
  void draw(const Dots& dots);
  void draw(const Text& text);
  void draw(const Picture& picture);
  ImVec2 place(float x, float y) const { return {origin_.x + x, origin_.y + y}; }

  ImDrawList* list_ = nullptr;
  ImVec2 origin_;
  PictureTextures textures_;
};

/// A tooltip beside the pointer: first line strong, the rest muted, one line each.
void show_tooltip(const Palette& palette, const std::string& lines);

/// The ring around what the keyboard is at.
void draw_focus_mark(const Palette& palette, ImVec2 origin, const Rect& rect);

}  // namespace moescope::views
