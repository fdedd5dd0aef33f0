#include "views/scene/loss_curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace moescope::views {
namespace {

using telemetry::ScalarSeries;

// Weighted sums of all points so far; dividing them debiases the start.
class Smoother {
 public:
  explicit Smoother(double half_life) : half_life_(half_life) {}
  double add(std::int64_t step, double value) {
    const double decay = half_life_ > 0 && count_ > 0 ? std::exp2(-static_cast<double>(step - last_) / half_life_) : 0;
    weighted_ = weighted_ * decay + value;
    weights_ = weights_ * decay + 1;
    last_ = step;
    ++count_;
    return weighted_ / weights_;
  }

 private:
  double half_life_;
  double weighted_ = 0, weights_ = 0;
  std::int64_t last_ = 0, count_ = 0;
};

// Everything in the history that is no loss with a band of its own.
bool is_auxiliary(const std::string& name) {
  constexpr std::array kOthers{"task",      "total",   "validation", "lr",
                               "grad_norm", "step_ms", "watch_ms",   "tokens_per_second"};
  return std::find(kOthers.begin(), kOthers.end(), name) == kOthers.end();
}

}  // namespace

std::vector<const ScalarSeries*> auxiliary_series(const telemetry::History& history) {
  std::vector<const ScalarSeries*> all;
  for (const ScalarSeries& series : history.all_series())
    if (is_auxiliary(series.name) && !series.step.empty()) all.push_back(&series);
  return all;
}

double round_up(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= value) return factor * power;
  return 10 * power;
}

CurveColumns curve_columns(const ScalarSeries& series, const TimeAxis& axis, double scale, double half_life) {
  CurveColumns columns;
  Smoother smoother(half_life);
  float pixel = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < series.step.size(); ++i) {
    const double value = series.value[i] * scale;
    const double mean = smoother.add(series.step[i], value);
    if (!std::isfinite(value) || series.step[i] < axis.first || series.step[i] > axis.last) continue;
    const float x = axis.x(static_cast<double>(series.step[i]));
    if (!columns.empty() && std::floor(x) == pixel) {
      columns.thin = false;
      columns.low.back() = std::min(columns.low.back(), value);
      columns.high.back() = std::max(columns.high.back(), value);
      columns.mean.back() = mean;
      continue;
    }
    pixel = std::floor(x);
    columns.x.push_back(x);
    columns.low.push_back(value);
    columns.high.push_back(value);
    columns.mean.push_back(mean);
  }
  return columns;
}

double smoothed_at(const ScalarSeries& series, std::int64_t step, double half_life) {
  Smoother smoother(half_life);
  double mean = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < series.step.size() && series.step[i] <= step; ++i)
    mean = smoother.add(series.step[i], series.value[i]);
  return mean;
}

PointAt value_at(const ScalarSeries& series, std::int64_t step) {
  const auto after = std::upper_bound(series.step.begin(), series.step.end(), step);
  if (after == series.step.begin()) return {std::numeric_limits<double>::quiet_NaN(), -1};
  const auto i = static_cast<std::size_t>(after - series.step.begin()) - 1;
  return {series.value[i], series.step[i]};
}

void AxisLimits::follow(double wanted_low, double wanted_high, double seconds) {
  if (!known()) {
    *this = {wanted_low, wanted_high, 0};
    return;
  }
  const double span = high - low;
  const bool less = wanted_low > low + 0.02 * span || wanted_high < high - 0.02 * span;
  low = std::min(low, wanted_low);
  high = std::max(high, wanted_high);
  waiting = less ? waiting + seconds : 0;
  if (waiting < kShrinkDelay) return;
  // Half of the way in a quarter of a second.
  const double part = 1 - std::exp2(-seconds / 0.25);
  low += (wanted_low - low) * part;
  high += (wanted_high - high) * part;
}

}  // namespace moescope::views
