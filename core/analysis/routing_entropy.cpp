#include "core/analysis/routing_entropy.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Sum of a row that can be normalised, else 0.
double row_mass(std::span<const float> prob_E) {
  double mass = 0.0;
  for (const float prob : prob_E) {
    if (!std::isfinite(prob) || prob < 0.0f) return 0.0;
    mass += static_cast<double>(prob);
  }
  return mass;
}

/// `values` sum to `mass` > 0.
template <typename Number>
double entropy_of(std::span<const Number> values, double mass) {
  double entropy = 0.0;
  for (const Number value : values) {
    const double share = static_cast<double>(value) / mass;
    if (share > 0.0) entropy -= share * std::log(share);
  }
  return entropy;
}

void require_rows(std::span<const float> probs_TE, int num_experts) {
  MOESCOPE_ASSERT(num_experts >= 1, "a layer has at least one expert");
  MOESCOPE_ASSERT(probs_TE.size() % static_cast<std::size_t>(num_experts) == 0, "the matrix is tokens times experts");
}

}  // namespace

std::vector<double> token_entropy(std::span<const float> probs_TE, int num_experts) {
  require_rows(probs_TE, num_experts);
  const auto width = static_cast<std::size_t>(num_experts);
  std::vector<double> entropy_T;
  entropy_T.reserve(probs_TE.size() / width);
  for (std::size_t begin = 0; begin < probs_TE.size(); begin += width) {
    const std::span<const float> prob_E = probs_TE.subspan(begin, width);
    const double mass = row_mass(prob_E);
    entropy_T.push_back(mass > 0.0 ? entropy_of(prob_E, mass) : kNan);
  }
  return entropy_T;
}

RoutingEntropy routing_entropy(std::span<const float> probs_TE, int num_experts) {
  require_rows(probs_TE, num_experts);
  const auto width = static_cast<std::size_t>(num_experts);
  RoutingEntropy result;
  std::vector<double> marginal_E(width, 0.0);
  double entropy_sum = 0.0;
  for (std::size_t begin = 0; begin < probs_TE.size(); begin += width) {
    const std::span<const float> prob_E = probs_TE.subspan(begin, width);
    const double mass = row_mass(prob_E);
    if (!(mass > 0.0)) {
      ++result.skipped_tokens;
      continue;
    }
    ++result.num_tokens;
    entropy_sum += entropy_of(prob_E, mass);
    for (std::size_t e = 0; e < width; ++e) marginal_E[e] += static_cast<double>(prob_E[e]) / mass;
  }
  if (result.num_tokens == 0) {
    result.mean = result.normalized_mean = result.marginal = result.mutual_information = kNan;
    return result;
  }
  const auto tokens = static_cast<double>(result.num_tokens);
  result.mean = entropy_sum / tokens;
  result.normalized_mean = num_experts == 1 ? 0.0 : result.mean / std::log(static_cast<double>(num_experts));
  result.marginal = entropy_of(std::span<const double>(marginal_E), tokens);
  result.mutual_information = result.marginal - result.mean;
  return result;
}

}  // namespace moescope::analysis
