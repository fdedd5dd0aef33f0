#include "core/analysis/load.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double sum_of_squared_deviations(std::span<const double> load_E, double mean) {
  double sum = 0.0;
  for (const double load : load_E) sum += (load - mean) * (load - mean);
  return sum;
}

/// From the sorted loads: Σ_i Σ_j |n_i − n_j| = 2 Σ_i (2i − E + 1) n_(i), i from 0. So E log E instead of E².
double gini_coefficient(std::span<const double> load_E, double total) {
  std::vector<double> sorted(load_E.begin(), load_E.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < sorted.size(); ++i) sum += (2.0 * static_cast<double>(i) - count + 1.0) * sorted[i];
  return sum / (count * total);
}

LoadStatistics undefined_statistics(std::size_t num_experts) {
  LoadStatistics result;
  result.share_E.assign(num_experts, kNan);
  result.entropy = result.normalized_entropy = result.effective_experts = kNan;
  result.cv2_population = result.cv2_sample = kNan;
  result.max_violation = result.min_violation = result.gini = kNan;
  return result;
}

}  // namespace

LoadStatistics load_statistics(std::span<const double> load_E) {
  const double total = std::accumulate(load_E.begin(), load_E.end(), 0.0);
  if (!(total > 0.0)) return undefined_statistics(load_E.size());
  const auto num_experts = static_cast<double>(load_E.size());
  const double mean = total / num_experts;
  LoadStatistics result;
  result.total = total;
  for (const double load : load_E) {
    MOESCOPE_ASSERT(load >= 0.0, "a load counts something");
    const double share = load / total;
    result.share_E.push_back(share);
    if (share > 0.0) result.entropy -= share * std::log(share);
  }
  result.normalized_entropy = load_E.size() == 1 ? 1.0 : result.entropy / std::log(num_experts);
  result.effective_experts = std::exp(result.entropy);
  const double deviations = sum_of_squared_deviations(load_E, mean) / (mean * mean);
  result.cv2_population = deviations / num_experts;
  result.cv2_sample = load_E.size() == 1 ? kNan : deviations / (num_experts - 1.0);
  const auto [min, max] = std::minmax_element(load_E.begin(), load_E.end());
  result.max_violation = (*max - mean) / mean;
  result.min_violation = (mean - *min) / mean;
  result.gini = gini_coefficient(load_E, total);
  return result;
}

LoadStatistics load_statistics(std::span<const std::int64_t> load_E) {
  std::vector<double> loads(load_E.size());
  std::transform(load_E.begin(), load_E.end(), loads.begin(), [](std::int64_t n) { return static_cast<double>(n); });
  return load_statistics(std::span<const double>(loads));
}

DeadExperts dead_experts(std::span<const std::int64_t> load_E, std::int64_t window_tokens) {
  const std::int64_t total = std::accumulate(load_E.begin(), load_E.end(), std::int64_t{0});
  const auto num_experts = static_cast<std::int64_t>(load_E.size());
  DeadExperts result;
  result.window_tokens = window_tokens;
  result.window_is_long_enough = window_tokens > 0 && window_tokens >= 100 * num_experts;
  for (std::size_t e = 0; e < load_E.size(); ++e) {
    if (load_E[e] == 0) {
      result.dead.push_back(static_cast<int>(e));
    } else if (load_E[e] * 10 * num_experts < total) {  // f < 0.1 / E, in integers
      result.nearly_dead.push_back(static_cast<int>(e));
    }
  }
  return result;
}

DropStatistics drop_statistics(std::span<const std::int32_t> token_N, std::span<const std::int32_t> expert_N,
                               std::span<const std::uint8_t> kept_N, std::int64_t num_tokens) {
  MOESCOPE_ASSERT(token_N.size() == expert_N.size() && token_N.size() == kept_N.size(), "one entry per assignment");
  DropStatistics result;
  std::vector<std::int64_t> kept_T(static_cast<std::size_t>(num_tokens), 0);
  for (std::size_t n = 0; n < token_N.size(); ++n) {
    if (expert_N[n] < 0) continue;
    MOESCOPE_ASSERT(token_N[n] >= 0 && token_N[n] < num_tokens, "an assignment belongs to a token of the batch");
    ++result.assigned;
    if (kept_N[n] != 0)
      ++kept_T[static_cast<std::size_t>(token_N[n])];
    else
      ++result.dropped;
  }
  for (const std::int64_t kept : kept_T) {
    const auto bin = static_cast<std::size_t>(kept);
    if (bin >= result.tokens_by_experts.size()) result.tokens_by_experts.resize(bin + 1, 0);
    ++result.tokens_by_experts[bin];
  }
  result.drop_rate =
      result.assigned == 0 ? kNan : static_cast<double>(result.dropped) / static_cast<double>(result.assigned);
  result.unserved_tokens =
      num_tokens == 0 ? kNan : static_cast<double>(result.tokens_by_experts[0]) / static_cast<double>(num_tokens);
  return result;
}

}  // namespace moescope::analysis
