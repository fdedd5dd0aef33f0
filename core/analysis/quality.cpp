#include "core/analysis/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <numbers>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void require_rising(std::span<const CurvePoint> curve) {
  for (std::size_t i = 1; i < curve.size(); ++i)
    MOESCOPE_ASSERT(curve[i].step > curve[i - 1].step, "evaluations are in the order of their steps");
}

const CurvePoint* first_at_target(std::span<const CurvePoint> curve, double target_loss) {
  require_rising(curve);
  const auto found =
      std::find_if(curve.begin(), curve.end(), [&](const auto& point) { return point.loss <= target_loss; });
  return found == curve.end() ? nullptr : &*found;
}

/// The mean value of every seed.
std::map<std::uint64_t, double> mean_by_seed(std::span<const SeedValue> values) {
  std::map<std::uint64_t, std::vector<double>> values_of;
  for (const SeedValue& value : values) values_of[value.seed].push_back(value.value);
  std::map<std::uint64_t, double> mean_of;
  for (const auto& [seed, same_seed] : values_of) mean_of[seed] = spread(same_seed).mean;
  return mean_of;
}

}  // namespace

double perplexity(double nats) { return std::exp(nats); }

double bits(double nats) { return nats / std::numbers::ln2; }

std::optional<std::int64_t> steps_to_target(std::span<const CurvePoint> curve, double target_loss) {
  const CurvePoint* point = first_at_target(curve, target_loss);
  return point == nullptr ? std::nullopt : std::optional(point->step);
}

std::optional<double> seconds_to_target(std::span<const CurvePoint> curve, double target_loss) {
  const CurvePoint* point = first_at_target(curve, target_loss);
  return point == nullptr ? std::nullopt : std::optional(point->seconds);
}

CurveArea area_under_curve(std::span<const CurvePoint> curve, std::optional<std::int64_t> until_step) {
  require_rising(curve);
  if (curve.empty()) return {kNan, kNan, 0, 0};
  const std::int64_t first = curve.front().step;
  const std::int64_t last = std::max(first, std::min(curve.back().step, until_step.value_or(curve.back().step)));
  if (last == first) return {kNan, kNan, first, last};
  double area = 0.0;
  for (std::size_t i = 1; i < curve.size() && curve[i - 1].step < last; ++i) {
    const CurvePoint& from = curve[i - 1];
    const CurvePoint& to = curve[i];
    const auto width = static_cast<double>(std::min(to.step, last) - from.step);
    const double covered = width / static_cast<double>(to.step - from.step);
    area += width * (from.loss + covered * (to.loss - from.loss) / 2.0);
  }
  return {area, area / static_cast<double>(last - first), first, last};
}

Spread over_seeds(std::span<const SeedValue> values) {
  std::vector<double> means;
  for (const auto& [seed, mean] : mean_by_seed(values)) means.push_back(mean);
  return spread(means);
}

PairedDifference paired_difference(std::span<const SeedValue> a, std::span<const SeedValue> b) {
  const std::map<std::uint64_t, double> a_of = mean_by_seed(a);
  const std::map<std::uint64_t, double> b_of = mean_by_seed(b);
  PairedDifference result;
  std::vector<double> differences;
  for (const auto& [seed, value] : a_of) {
    const auto other = b_of.find(seed);
    if (other == b_of.end())
      result.unpaired_seeds.push_back(seed);
    else
      differences.push_back(value - other->second);
  }
  for (const auto& [seed, value] : b_of) {
    if (!a_of.contains(seed)) result.unpaired_seeds.push_back(seed);
  }
  std::sort(result.unpaired_seeds.begin(), result.unpaired_seeds.end());
  result.difference = spread(differences);
  return result;
}

}  // namespace moescope::analysis
