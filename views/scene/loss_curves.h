#pragma once
// Curves made ready for pixels: least and most per pixel column, a debiased exponential mean by half-life in steps, and
// axis limits that grow at once but shrink slowly. Threads: pure functions over plain values.

#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "core/telemetry/history.h"
#include "views/scene/time_axis.h"

namespace moescope::views {

inline constexpr double kLossHalfLife = 10;  ///< steps
inline constexpr double kBitsPerNat = 1 / std::numbers::ln2;

/// The losses beside the task's and their sum: each has a band of its own.
std::vector<const telemetry::ScalarSeries*> auxiliary_series(const telemetry::History& history);

/// The next of 1, 2 and 5 × 10ⁿ: a scale whose end is worth printing. 1 for what is not above 0.
double round_up(double value);

/// One entry per pixel column that holds at least one point.
struct CurveColumns {
  std::vector<float> x;
  std::vector<double> low, high, mean;  ///< mean: the smoothed value at the column's last point
  bool thin = true;                     ///< at most one point per column: a line says more than a band

  bool empty() const { return x.empty(); }
};

/// `scale` multiplies every value (nats → bits). The smoothing is debiased at the start (the mean of a constant is that
/// constant from the first point on) and counts gaps in steps, not in points. `half_life` 0: no smoothing.
CurveColumns curve_columns(const telemetry::ScalarSeries& series, const TimeAxis& axis, double scale, double half_life);

/// The smoothed value at or before `step`; NaN before the first point.
double smoothed_at(const telemetry::ScalarSeries& series, std::int64_t step, double half_life);
/// The raw value at or before `step` and the step it belongs to; NaN and −1 before the first point.
struct PointAt {
  double value = 0;
  std::int64_t step = -1;
};
PointAt value_at(const telemetry::ScalarSeries& series, std::int64_t step);

/// What an axis shows. Grows at once; shrinks only after the data asked for less for kShrinkDelay seconds on end.
struct AxisLimits {
  static constexpr double kShrinkDelay = 2;
  double low = 0, high = 0;
  double waiting = 0;  ///< seconds for which less would have been enough

  bool known() const { return high > low; }
  void follow(double wanted_low, double wanted_high, double seconds);
};

}  // namespace moescope::views
