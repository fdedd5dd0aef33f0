#pragma once
// Scores to probabilities, choices and statistics in one pass. The walk itself is kernels/router_topk.h (fp32 on CPU);
// other devices and fp64 take a chain of ATen operations with the same tie rule. Not here: gates, which differ by
// method. Threads: trainer thread only.

#include <ATen/core/Tensor.h>

namespace moescope::moe {

struct SoftmaxTopk {
  at::Tensor probs_TE;   ///< softmax over all experts; carries the gradient to the scores
  at::Tensor expert_TK;  ///< int64, best first; among equal scores the lowest index
  at::Tensor entropy_T;  ///< −Σ p ln p over all experts, nats; no gradient
  at::Tensor margin_T;   ///< p(1) − p(2), 1 when there is one expert; no gradient
};

/// Requires: 1 ≤ top_k ≤ E; throws for scores that are not finite.
SoftmaxTopk softmax_topk(const at::Tensor& scores_TE, int top_k);

/// Throws non_finite_scores() if any score is NaN or infinite.
void require_finite(const at::Tensor& scores_TE);

}  // namespace moescope::moe
