#pragma once
// Small parts several scenes share: names of marks, expert labels, legends, the padlock, the layer chooser.
// Threads: pure functions that add shapes to the caller's scene.

#include <string>
#include <vector>

#include "views/view.h"

namespace moescope::views {

inline constexpr float kBodySize = 11;   ///< text
inline constexpr float kSmallSize = 10;  ///< ticks and notes
inline constexpr float kKeySize = 13;    ///< key figures

/// "E3"
std::string expert_name(int expert);
/// "L1·E3": layers count from 1 on screen.
std::string mark_name(int layer, int expert);

/// Square in the expert's colour and its name, centred on `y`; faded: greyed because another is selected.
/// Returns the x at which it ends.
float add_expert_label(Scene& scene, const Palette& palette, Vec2 left_center, int expert, int num_experts,
                       bool faded = false, bool strong = false);

/// Width of the widest of add_expert_label()'s labels.
float expert_label_width(int num_experts);

/// A padlock 9 wide and 11 high with its top left corner at `at`.
void add_padlock(Scene& scene, Vec2 at, bool closed, Color color);

struct LegendItem {
  enum class Kind { kLine, kDashed, kSquare, kBand };
  Kind kind = Kind::kLine;
  std::string text;
  Color color;
};
/// Items side by side from the right edge leftwards; those that do not fit in `width` are left out, last ones first.
/// Returns the width used.
float add_legend(Scene& scene, const Palette& palette, Vec2 top_right, float width,
                 const std::vector<LegendItem>& items);

/// "L1 L2 L3" as a segmented control with the selected layer filled, or "‹ L3 of 12 ›" where the segments do not fit
/// in `width`. Its hits are named "layer L2" (kind kLayer). Draws nothing for one layer. Returns the width used.
float add_layer_chooser(Scene& scene, const ViewContext& context, Vec2 top_right, float width);

/// True when the selection names another expert of this layer.
bool is_faded(const Selection& selection, int layer, int expert);

/// The selected layer, kept inside what the run has.
int shown_layer(const ViewContext& context);

}  // namespace moescope::views
