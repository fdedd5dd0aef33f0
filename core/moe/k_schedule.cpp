#include "core/moe/k_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/assert.h"

namespace moescope::moe {
namespace {

/// What is left of the way from first to last, 1 to 0.
double part_left(const std::string& mode, double progress) {
  if (mode == "cosine") return std::cos(0.5 * std::numbers::pi * progress);
  MOESCOPE_ASSERT(mode == "exponential", "the field's choices are checked when the configuration is read");
  // Shifted and stretched by a few percent: 0.99³⁰⁰ = 0.05 would leave the last expert out for ever.
  const double end = std::pow(0.99, 300);
  return (std::pow(0.99, 300 * progress) - end) / (1 - end);
}

int multi_step(int first, int last, std::int64_t step, std::int64_t total_steps) {
  std::vector<int> values = {first};
  while (values.back() != last) {
    values.push_back(first < last ? std::min(last, values.back() * 2) : std::max(last, values.back() / 2));
  }
  const auto parts = static_cast<std::int64_t>(values.size());
  return values[static_cast<std::size_t>(std::min(parts - 1, step * parts / total_steps))];
}

/// Halves go to the even neighbour.
int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

}  // namespace

const std::vector<std::string>& k_schedule_modes() {
  static const std::vector<std::string> modes = {"fixed", "linear", "cosine", "exponential", "multi_step"};
  return modes;
}

int k_at(const KSchedule& schedule, std::int64_t step, std::int64_t total_steps) {
  if (schedule.mode == "fixed" || step >= total_steps) return schedule.last;
  const std::int64_t done = std::max<std::int64_t>(0, step);
  if (schedule.mode == "multi_step") return multi_step(schedule.first, schedule.last, done, total_steps);
  const auto way = static_cast<double>(schedule.last - schedule.first), total = static_cast<double>(total_steps);
  // One division, so that a half is exactly a half.
  if (schedule.mode == "linear") return schedule.first + rounded(way * static_cast<double>(done) / total);
  return schedule.last - rounded(way * part_left(schedule.mode, static_cast<double>(done) / total));
}

}  // namespace moescope::moe
