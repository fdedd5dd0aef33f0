#include "core/analysis/margin.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

void require_rows(std::span<const float> values_TE, int num_experts) {
  MOESCOPE_ASSERT(num_experts >= 1, "a layer has at least one expert");
  MOESCOPE_ASSERT(values_TE.size() % static_cast<std::size_t>(num_experts) == 0, "the matrix is tokens times experts");
}

bool has_order(std::span<const float> score_E) {
  const bool any_nan = std::any_of(score_E.begin(), score_E.end(), [](float s) { return std::isnan(s); });
  const bool any_open = std::any_of(score_E.begin(), score_E.end(), [](float s) { return s > -HUGE_VALF; });
  return any_open && !any_nan;
}

/// Experts of a row, the best `count` first in order. Requires: has_order(score_E).
std::vector<std::size_t> best_experts(std::span<const float> score_E, std::size_t count) {
  std::vector<std::size_t> order(score_E.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), middle, order.end(), [&](std::size_t a, std::size_t b) {
    return score_E[a] > score_E[b] || (score_E[a] == score_E[b] && a < b);
  });
  return order;
}

double gap(float better, float worse) {
  if (std::isinf(worse)) return kInf;  // masked: no rival (also when `better` is masked, which leaves a free choice)
  return static_cast<double>(better) - static_cast<double>(worse);
}

/// Calls margin(score_E) for every row that has an order.
template <typename Margin>
std::vector<double> for_each_row(std::span<const float> scores_TE, int num_experts, Margin margin) {
  require_rows(scores_TE, num_experts);
  const auto width = static_cast<std::size_t>(num_experts);
  std::vector<double> margin_T;
  margin_T.reserve(scores_TE.size() / width);
  for (std::size_t begin = 0; begin < scores_TE.size(); begin += width) {
    const std::span<const float> score_E = scores_TE.subspan(begin, width);
    margin_T.push_back(has_order(score_E) ? margin(score_E) : kNan);
  }
  return margin_T;
}

double row_distance(std::span<const float> a_D, std::span<const float> b_D) {
  double sum = 0.0;
  for (std::size_t d = 0; d < a_D.size(); ++d) {
    const double difference = static_cast<double>(a_D[d]) - static_cast<double>(b_D[d]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

}  // namespace

std::vector<double> prob_margins(std::span<const float> probs_TE, int num_experts) {
  return for_each_row(probs_TE, num_experts, [](std::span<const float> prob_E) {
    const std::vector<std::size_t> order = best_experts(prob_E, 2);
    const double second = order.size() > 1 ? static_cast<double>(prob_E[order[1]]) : 0.0;
    return static_cast<double>(prob_E[order[0]]) - second;
  });
}

std::vector<double> logit_margins(std::span<const float> scores_TE, int num_experts) {
  return selection_margins(scores_TE, num_experts, 1);
}

std::vector<double> selection_margins(std::span<const float> scores_TE, int num_experts, int top_k) {
  MOESCOPE_ASSERT(top_k >= 1 && top_k <= num_experts, "a token chooses one to all experts");
  const auto k = static_cast<std::size_t>(top_k);
  return for_each_row(scores_TE, num_experts, [k](std::span<const float> score_E) {
    if (k == score_E.size()) return kInf;
    const std::vector<std::size_t> order = best_experts(score_E, k + 1);
    return gap(score_E[order[k - 1]], score_E[order[k]]);
  });
}

std::vector<double> geometric_margins(std::span<const float> scores_TE, std::span<const float> router_ED,
                                      int num_experts, int dim) {
  const auto width = static_cast<std::size_t>(dim);
  MOESCOPE_ASSERT(router_ED.size() == static_cast<std::size_t>(num_experts) * width, "one router row per expert");
  return for_each_row(scores_TE, num_experts, [&](std::span<const float> score_E) {
    if (score_E.size() == 1) return kInf;
    const std::vector<std::size_t> order = best_experts(score_E, 2);
    const double distance =
        row_distance(router_ED.subspan(order[0] * width, width), router_ED.subspan(order[1] * width, width));
    return distance > 0.0 ? gap(score_E[order[0]], score_E[order[1]]) / distance : kInf;
  });
}

double mean_margin(std::span<const double> margin_T) {
  double sum = 0.0;
  std::size_t count = 0;
  for (const double margin : margin_T) {
    if (!std::isfinite(margin)) continue;
    sum += margin;
    ++count;
  }
  return count == 0 ? kNan : sum / static_cast<double>(count);
}

}  // namespace moescope::analysis
