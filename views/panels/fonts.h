#pragma once
// The fonts a canvas gives its view. The canvas loads them into its atlas, keeps the Fonts object alive as long as the
// ImGui context and hands it over once with set_fonts(). Threads: UI thread only.

#include <imgui.h>

#include "views/scene/scene.h"

namespace moescope::views {

struct Fonts {
  ImFont* regular = nullptr;  ///< Inter
  ImFont* strong = nullptr;   ///< Inter SemiBold
  ImFont* mono = nullptr;     ///< JetBrains Mono
};

/// For the current ImGui context. `fonts` is not copied (it lives in the context's io.UserData).
void set_fonts(const Fonts* fonts);

/// The current context's font for `font`; ImGui's default font where the canvas gave none.
ImFont* font_of(Text::Font font);

/// ImGui counts a font size from ascent to descent, Qt and CSS (and scenes) count the em: this turns the second into
/// the first, so that 11 px mean the same in docks and canvases.
float imgui_font_size(float em_size, Text::Font font = Text::Font::kRegular);

/// ImGui::PushFont() with an em size; close with ImGui::PopFont().
void push_font(float em_size, Text::Font font = Text::Font::kRegular);

ImU32 to_imgui(Color color);
ImVec4 to_imgui_vec(Color color);

}  // namespace moescope::views
