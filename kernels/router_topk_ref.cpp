// One row at a time: look for bad scores and the maximum, then sum the softmax, then sort the best K by insertion.
// The row's slice of expert_TK is the sorted list itself, so no scratch memory is needed.

#include <cassert>

#include "kernels/router_topk.h"

namespace moescope::kernels {
namespace {

struct RowView {
  const float* score_E;
  float* prob_E;
  std::int32_t* expert_K;
  std::int32_t num_experts;
  std::int32_t top_k;
};

/// False for a row that cannot be routed. `max_score` is then unspecified.
bool find_max(const RowView& row, float& max_score) {
  max_score = -INFINITY;
  for (std::int32_t e = 0; e < row.num_experts; ++e) {
    if (is_bad_score(row.score_E[e])) return false;
    if (row.score_E[e] > max_score) max_score = row.score_E[e];
  }
  return !is_masked_score(max_score);
}

/// Writes the row's probabilities and returns its entropy.
float softmax_row(const RowView& row, float max_score) {
  float sum_weight = 0.0f;
  float sum_shift = 0.0f;
  for (std::int32_t e = 0; e < row.num_experts; ++e) {
    const float weight = softmax_weight(row.score_E[e], max_score);
    row.prob_E[e] = weight;
    sum_weight += weight;
    sum_shift += weighted_shift(weight, row.score_E[e], max_score);
  }
  for (std::int32_t e = 0; e < row.num_experts; ++e) row.prob_E[e] /= sum_weight;
  return entropy_from_sums(sum_weight, sum_shift);
}

/// Fills expert_K best first and returns the best expert left out, kNoExpert if there is none.
std::int32_t choose_top_k(const RowView& row) {
  const float* score_E = row.score_E;
  std::int32_t num_chosen = 0;
  std::int32_t left_out = kNoExpert;
  for (std::int32_t e = 0; e < row.num_experts; ++e) {
    if (is_masked_score(score_E[e])) continue;
    std::int32_t place = num_chosen;
    while (place > 0 && ranks_before(score_E[e], e, score_E[row.expert_K[place - 1]], row.expert_K[place - 1])) --place;
    std::int32_t pushed_out = e;
    if (place < row.top_k) {
      pushed_out = num_chosen < row.top_k ? kNoExpert : row.expert_K[row.top_k - 1];
      if (num_chosen < row.top_k) ++num_chosen;
      for (std::int32_t i = num_chosen - 1; i > place; --i) row.expert_K[i] = row.expert_K[i - 1];
      row.expert_K[place] = e;
    }
    if (pushed_out == kNoExpert) continue;
    if (left_out == kNoExpert || ranks_before(score_E[pushed_out], pushed_out, score_E[left_out], left_out)) {
      left_out = pushed_out;
    }
  }
  for (std::int32_t place = num_chosen; place < row.top_k; ++place) row.expert_K[place] = kNoExpert;
  return left_out;
}

float score_or_masked(const RowView& row, std::int32_t expert) {
  return expert == kNoExpert ? -INFINITY : row.score_E[expert];
}

float prob_or_zero(const RowView& row, std::int32_t expert) { return expert == kNoExpert ? 0.0f : row.prob_E[expert]; }

void write_bad_row(const RowView& row) {
  for (std::int32_t e = 0; e < row.num_experts; ++e) row.prob_E[e] = 0.0f;
  for (std::int32_t place = 0; place < row.top_k; ++place) row.expert_K[place] = kNoExpert;
}

}  // namespace

BadRows router_topk(const float* scores_TE, const RouterTopkShape& shape, const RouterTopkOutput& output,
                    std::int64_t first_row, std::int64_t last_row) {
  assert(shape.top_k >= 1 && shape.top_k <= shape.num_experts);
  assert(first_row >= 0 && first_row <= last_row && last_row <= shape.num_tokens);
  BadRows bad;
  for (std::int64_t t = first_row; t < last_row; ++t) {
    const RowView row{scores_TE + t * shape.num_experts, output.probs_TE + t * shape.num_experts,
                      output.expert_TK + t * shape.top_k, shape.num_experts, shape.top_k};
    float entropy = 0.0f;
    float margin = 0.0f;
    float cut_margin = 0.0f;
    float max_score = 0.0f;
    if (find_max(row, max_score)) {
      entropy = softmax_row(row, max_score);
      const std::int32_t left_out = choose_top_k(row);
      const std::int32_t second = shape.top_k > 1 ? row.expert_K[1] : left_out;
      margin = row.prob_E[row.expert_K[0]] - prob_or_zero(row, second);
      cut_margin =
          selection_margin(score_or_masked(row, row.expert_K[shape.top_k - 1]), score_or_masked(row, left_out));
    } else {
      write_bad_row(row);
      if (bad.count++ == 0) bad.first = t;
    }
    output.entropy_T[t] = entropy;
    output.margin_T[t] = margin;
    if (output.selection_margin_T != nullptr) output.selection_margin_T[t] = cut_margin;
  }
  return bad;
}

}  // namespace moescope::kernels
