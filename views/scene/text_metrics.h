#pragma once
// How wide a text will be, so that a scene is laid out without a font in reach. Widths are those of Inter and
// JetBrains Mono (tables of advance widths, no kerning, as ImGui draws them); characters beyond ASCII are estimated and
// rather too wide than too narrow. Sizes are em sizes in logical pixels, as in Qt and CSS.
// Threads: pure functions.

#include <string>
#include <string_view>

#include "views/scene/scene.h"

namespace moescope::views {

/// Width of one line of UTF-8 text.
float text_width(std::string_view text, float size, Text::Font font = Text::Font::kRegular);

/// Height of one line, ascent to descent: 1.21 × size for Inter, 1.32 × size for JetBrains Mono.
float line_height(float size, Text::Font font = Text::Font::kRegular);

/// `text` cut to `width`, ending in "…"; empty when not even one character and the ellipsis fit.
std::string elided(std::string_view text, float size, float width, Text::Font font = Text::Font::kRegular);

/// The rectangle a text covers, rotation included.
Rect text_box(const Text& text);

bool overlap(const Rect& a, const Rect& b);

}  // namespace moescope::views
