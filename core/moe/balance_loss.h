#pragma once
// The load-balance loss of Switch (Fedus et al. 2021, equations 4 to 6), used by several routers.

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moescope::moe {

/// E · Σ_i f_i P_i per group of `group_tokens` consecutive tokens, averaged over groups; 1 under uniform routing.
/// f_i: share of the group's (token, choice) pairs on expert i, before dropping, constant. P_i: mean probability.
/// `group_tokens` 0: one group. Zero, with a gradient of zero, for no tokens.
at::Tensor switch_balance_loss(const at::Tensor& probs_TE, const at::Tensor& expert_TK, std::int64_t group_tokens = 0);

}  // namespace moescope::moe
