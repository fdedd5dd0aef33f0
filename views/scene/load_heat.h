#pragma once
// The heat map of loads as pixels. Threads: pure functions.

#include "views/view.h"

namespace moescope::views {

inline constexpr double kHeatTop = 3;        ///< the brightest colour stands for this multiple of the fair share
inline constexpr std::uint32_t kHeatId = 1;  ///< Picture ids within the load view
inline constexpr std::uint32_t kRampId = 2;

/// One pixel column per column of `rect`, one row per expert. A stretch merged into one pixel shows its mean, unless an
/// expert starved within it: then that, since an average would hide a layer that was dead for one step.
Picture load_heat(const ViewContext& context, int layer, Rect rect);

/// The colour scale from left to right.
Picture heat_ramp(const Palette& palette, Rect rect);

/// As Picture::rgba holds it.
std::uint32_t packed(Color color);

}  // namespace moescope::views
