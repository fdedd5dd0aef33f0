#include "core/moe/top2.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace moescope::moe {

at::Tensor renormalised_gates(const at::Tensor& probs_TE, const at::Tensor& expert_TK) {
  const at::Tensor chosen_TK = probs_TE.gather(1, expert_TK);
  return chosen_TK / chosen_TK.sum(1, /*keepdim=*/true);
}

Capacity share_capacity(double factor, int top_k, std::int64_t num_tokens, std::int64_t num_experts, RouteMode mode) {
  if (mode == RouteMode::kProbe || factor <= 0) return {};
  const std::int64_t fair = top_k * ((num_tokens + num_experts - 1) / num_experts);
  return {std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(factor * static_cast<double>(fair)))), 0};
}

at::Tensor router_z_loss(const at::Tensor& scores_TE) {
  return scores_TE.size(0) == 0 ? scores_TE.sum() : at::logsumexp(scores_TE, 1).square().mean();
}

}  // namespace moescope::moe
