#pragma once
// Softmax, top-k and routing statistics in one walk over score rows. Not here: the scores (a product made by the
// caller), gate values (they need gradients and differ by method), capacity (kernels/permute.h).
// T tokens, E experts, K choices per token; all matrices are dense and row-major.
// Threads: functions touch only the rows they are given; disjoint row ranges may run at the same time.

#include <cmath>
#include <cstdint>

#include "kernels/cuda_launch.h"
#include "kernels/host_device.h"

namespace moescope::kernels {

struct RouterTopkShape {
  std::int64_t num_tokens = 0;
  std::int32_t num_experts = 0;
  std::int32_t top_k = 1;  // 1 ≤ top_k ≤ num_experts
};

/// Destination arrays, owned by the caller. Only selection_margin_T may be null: then it is not written.
struct RouterTopkOutput {
  float* probs_TE = nullptr;            // softmax over all experts
  std::int32_t* expert_TK = nullptr;    // chosen experts, best first; kNoExpert where there is none
  float* entropy_T = nullptr;           // −Σ p ln p over all experts, nats
  float* margin_T = nullptr;            // p(1) − p(2); 1 where only one expert can be chosen
  float* selection_margin_T = nullptr;  // s(k) − s(k+1); +infinity where nothing waits behind the last choice
};

inline constexpr std::int32_t kNoExpert = -1;

/// Rows whose scores cannot be routed. Not an error of the walk: it ends, and the caller decides.
struct BadRows {
  std::int64_t count = 0;
  std::int64_t first = -1;  // lowest such row, −1 if there is none
};

/// Scalar reference over rows [first_row, last_row).
///
/// - Experts are ordered by score; among equal scores the lowest index wins.
/// - A score of −infinity masks its expert: probability 0, never chosen. If fewer than K experts are left, the
///   remaining choices are kNoExpert.
/// - A row with a NaN, with +infinity, or with every expert masked is bad: it is counted and reported, its choices are
///   kNoExpert, its probabilities, entropy and margins are 0, and no other row is touched by it.
/// Requires: the shape's limits; 0 ≤ first_row ≤ last_row ≤ num_tokens; no overlap of input and outputs.
BadRows router_topk(const float* scores_TE, const RouterTopkShape& shape, const RouterTopkOutput& output,
                    std::int64_t first_row, std::int64_t last_row);

/// The same for all rows on a device: every pointer is device memory, `bad_rows` too, which is overwritten. Choices
/// equal the reference's exactly, floats to about 1e-6. Enqueues on `stream` and returns without waiting.
LaunchStatus router_topk_cuda(const float* scores_TE, const RouterTopkShape& shape, const RouterTopkOutput& output,
                              BadRows* bad_rows, CudaStream stream);

// ---- Arithmetic shared by the versions -----------------------------------------------------------------------------

/// NaN and +infinity. −infinity is a mask, not an error.
MOESCOPE_HOST_DEVICE inline bool is_bad_score(float score) { return !(score < INFINITY); }

MOESCOPE_HOST_DEVICE inline bool is_masked_score(float score) { return score == -INFINITY; }

/// Total order of a row without NaN: higher score first, then lower index.
MOESCOPE_HOST_DEVICE inline bool ranks_before(float score_a, std::int32_t a, float score_b, std::int32_t b) {
  return score_a > score_b || (score_a == score_b && a < b);
}

/// Softmax numerator. The largest score gives exactly 1, so the sum is never 0 and never overflows.
MOESCOPE_HOST_DEVICE inline float softmax_weight(float score, float max_score) { return expf(score - max_score); }

/// Term of Σ w·(s − max) in the entropy below. An underflowed or masked weight contributes 0, not 0·∞.
MOESCOPE_HOST_DEVICE inline float weighted_shift(float weight, float score, float max_score) {
  return weight > 0.0f ? weight * (score - max_score) : 0.0f;
}

/// H = ln Z − (Σ w·(s − max)) / Z with Z = Σ w: equal to −Σ p ln p without a logarithm per expert. Rounding may put it
/// a hair below 0 for a one-hot row, hence the floor.
MOESCOPE_HOST_DEVICE inline float entropy_from_sums(float sum_weight, float sum_weighted_shift) {
  const float entropy = logf(sum_weight) - sum_weighted_shift / sum_weight;
  return entropy > 0.0f ? entropy : 0.0f;
}

/// s(k) − s(k+1), where either may be absent (−infinity).
MOESCOPE_HOST_DEVICE inline float selection_margin(float last_chosen, float best_left_out) {
  return is_masked_score(last_chosen) || is_masked_score(best_left_out) ? INFINITY : last_chosen - best_left_out;
}

}  // namespace moescope::kernels
