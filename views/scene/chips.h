#pragma once
// Small rounded boxes with a piece of text, laid in lines. Threads: pure functions.

#include <string>
#include <string_view>

#include "views/scene/scene.h"

namespace moescope::views {

inline constexpr float kChipHeight = 17;
inline constexpr float kChipPad = 5;  ///< left and right of the text

/// A token as a chip shows it: one leading space dropped when letters follow, other white space and control characters
/// made visible ("·", "↵", "⇥"), escaped or not.
std::string visible_token(std::string_view piece);

/// A token or a longer text with all its spaces, for tooltips and running words: line ends and tabs as "↵" and "⇥",
/// escaped or not; other control characters, and half characters, by their numbers.
std::string with_signs(std::string_view text);

float chip_width(std::string_view text, float size);

/// Adds a chip with its top left corner at `at`; returns its rectangle.
Rect add_chip(Scene& scene, Vec2 at, const std::string& text, float size, Color ground, Color ink);

}  // namespace moescope::views
