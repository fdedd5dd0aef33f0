#pragma once
// What the views share while they show two runs' difference: the switch, the scale in words and colours, the ground
// under cells without data. Threads: pure functions that add shapes to the caller's scene.

#include <string>

#include "views/view.h"

namespace moescope::views {

/// Name of the switch's hit box: a click on it makes Selection::against what next_against() says.
inline constexpr const char* kDifferenceSwitch = "difference";

/// The layer chooser, in `chooser_width`, and left of it, if there is a comparable ghost and room in all of `width`,
/// the switch: "difference", or filled "difference to parent" while it is on, shorter where there is less room.
/// `obstacle`: why this view shows no difference though it is switched on; empty: it does.
void add_layers_and_difference(Scene& scene, const ViewContext& context, Vec2 top_right, float chooser_width,
                               float width, const std::string& obstacle = {});

/// "−1 ▬ 0 ▬ +1 × fair share" with its right end at `top_right`; nothing where it would begin left of `from`. Its
/// Pictures take the ids `first_id` and the next. Returns the x at which it begins, or `top_right.x`.
float add_difference_legend(Scene& scene, const Palette& palette, Vec2 top_right, float from, std::uint32_t first_id);

/// Hatching for transparent cells of the Picture that is drawn over it: no data is not "no difference".
void add_no_data_ground(Scene& scene, const Palette& palette, Rect rect);

}  // namespace moescope::views
