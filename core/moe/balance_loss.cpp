#include "core/moe/balance_loss.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace moescope::moe {
namespace {

at::Tensor balance_of_group(const at::Tensor& probs_TE, const at::Tensor& expert_TK) {
  const std::int64_t num_experts = probs_TE.size(1);
  const at::Tensor share_E = at::bincount(expert_TK.reshape({-1}), {}, num_experts).to(probs_TE.scalar_type()) /
                             static_cast<double>(expert_TK.numel());
  return at::dot(share_E, probs_TE.mean(0)) * static_cast<double>(num_experts);
}

}  // namespace

at::Tensor switch_balance_loss(const at::Tensor& probs_TE, const at::Tensor& expert_TK, std::int64_t group_tokens) {
  const std::int64_t num_tokens = probs_TE.size(0);
  if (num_tokens == 0) return probs_TE.sum();
  if (group_tokens <= 0 || group_tokens >= num_tokens) return balance_of_group(probs_TE, expert_TK);
  const std::vector<at::Tensor> probs = probs_TE.split(group_tokens);
  const std::vector<at::Tensor> experts = expert_TK.split(group_tokens);
  at::Tensor sum = balance_of_group(probs[0], experts[0]);
  for (std::size_t group = 1; group < probs.size(); ++group) {
    sum = sum + balance_of_group(probs[group], experts[group]);
  }
  return sum / static_cast<double>(probs.size());
}

}  // namespace moescope::moe
