#pragma once
// The time axis every view over steps shares: step ↔ x, round ticks, the same marks everywhere (stage switch dashed and
// strongest, commands thin with their text), the time cursor. Threads: pure functions.

#include <cstdint>
#include <string>
#include <vector>

#include "views/view.h"

namespace moescope::views {

/// Steps first…last over the width of `plot`.
struct TimeAxis {
  Rect plot;
  std::int64_t first = 0;
  std::int64_t last = 1;

  float x(double step) const;
  /// The step under `x`, rounded and kept between first and last.
  std::int64_t step_at(float x) const;
};

/// From step 0 to the newest frame, of ghosts too; the same for every view, so that marks stand under each other.
TimeAxis time_axis(const ViewContext& context, Rect plot);

/// Multiples of 1, 2 or 5 × 10ⁿ inside [low, high], at most `most` of them.
std::vector<double> round_values(double low, double high, int most);
/// The same for steps: never closer than 1.
std::vector<std::int64_t> round_steps(std::int64_t first, std::int64_t last, int most);

/// Tick texts with their top at `y`: "step 0" left, the newest step strong at the right end, the cursor's step in
/// accent, round steps between where they fit without touching.
void add_step_labels(Scene& scene, const ViewContext& context, const TimeAxis& axis, float y);

/// Where mark texts may stand. Rows are as high as a line of kSmallSize; with `rows` 0 there are only lines.
struct MarkLabels {
  float top = 0;
  int rows = 1;
  bool over_plot = false;  ///< the texts lie over the picture and get a ground of their own
  float left = -1;         ///< how far left a text may reach; −1: the plot's edge
};

/// Vertical lines of all events over the plot (from `labels.top` down), and their texts where they fit: stage
/// switches first, then commands from the newest; one that would touch another moves a row down or is left out.
/// Every mark has a hit box named "mark <step>" whose tooltip says it in full.
void add_time_marks(Scene& scene, const ViewContext& context, const TimeAxis& axis, const MarkLabels& labels);

/// The selection's time cursor as an accent line; nothing while the view follows live.
void add_time_cursor(Scene& scene, const ViewContext& context, const TimeAxis& axis);

/// "switched to stage 2 at step 240 · by you"
std::string event_text(const telemetry::Event& event);

}  // namespace moescope::views
