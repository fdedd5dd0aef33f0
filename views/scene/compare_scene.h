#pragma once
// Several configurations in one picture: a mean line per configuration with a band of ± one standard error over its
// seeds, or one column of values per configuration. Each says at its end what it is.
// Threads: pure functions over plain values.

#include <cstdint>
#include <string>
#include <vector>

#include "views/scene/palette.h"
#include "views/scene/plot_frame.h"
#include "views/scene/scene.h"

namespace moescope::views {

/// One run. `step` says which points of several runs belong together and rises; x is what the axis shows (steps,
/// seconds). All three have one length.
struct RunCurve {
  std::vector<std::int64_t> step;
  std::vector<double> x, y;
};

struct CurveGroup {
  std::string name;
  std::vector<RunCurve> runs;  ///< one per seed
};

struct CurvePlot {
  PlotText text;
  std::vector<CurveGroup> groups;
  bool from_zero = false;  ///< the y axis starts at 0
};

struct ValueGroup {
  std::string name;
  std::vector<double> values;  ///< one per seed; those that are not finite are not shown
};

struct ValuePlot {
  PlotText text;
  std::vector<ValueGroup> groups;
};

/// The mean over runs at every step that all of them have a finite value at. Error: standard error over runs, NaN for
/// one run.
struct MeanCurve {
  std::vector<double> x, mean, error;
};
MeanCurve mean_curve(const std::vector<RunCurve>& runs);

/// Colour of configuration `i`: identity colours, those that read best as lines first.
Color line_color(const Palette& colors, std::size_t i);

/// Groups without a point are named as missing.
Scene curve_scene(const CurvePlot& plot, const Palette& colors, Size size);
Scene value_scene(const ValuePlot& plot, const Palette& colors, Size size);

}  // namespace moescope::views
