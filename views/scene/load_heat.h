#pragma once
// The heat map of loads as pixels: one run's shares, or their difference to another run's. Threads: pure functions.

#include "views/scene/layer_load.h"
#include "views/scene/load_layout.h"
#include "views/scene/time_axis.h"
#include "views/view.h"

namespace moescope::views {

inline constexpr double kHeatTop = 3;        ///< the brightest colour stands for this multiple of the fair share
inline constexpr std::uint32_t kHeatId = 1;  ///< Picture ids within the load view
inline constexpr std::uint32_t kRampId = 2;
inline constexpr std::uint32_t kDifferenceRampId = 3;  ///< and the next

/// One pixel column per column of `rect`, one row per expert. A stretch merged into one pixel shows its mean, unless an
/// expert starved within it: then that, since an average would hide a layer that was dead for one step.
Picture load_heat(const ViewContext& context, int layer, Rect rect);

/// The same grid: how much more or less of the layer each expert gets than in `ghost` over the same steps, from −1 to
/// 1 fair share. Transparent where one of the runs has no data.
Picture difference_heat(const ViewContext& context, const telemetry::Ghost& ghost, int layer, Rect rect);

/// The steps under one of those pixel columns.
StepStretch steps_under(const TimeAxis& axis, int width, int x);
/// How many pixel columns a heat map of that rectangle has.
int heat_width(Rect rect);

/// The heat map that the selection asks for, with gaps between the rows and the experts that are not followed faded.
void add_heat(Scene& scene, const ViewContext& context, const LoadLayout& layout, int layer);

/// Its colour scale with the right end at `top_right`, if that does not begin left of `from`. Returns where it begins.
float add_heat_legend(Scene& scene, const ViewContext& context, Vec2 top_right, float from);

}  // namespace moescope::views
