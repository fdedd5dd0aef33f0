#include "core/moe/routing.h"

#include <ATen/ATen.h>

#include "core/base/assert.h"

namespace moescope::moe {

SparseRouting token_choice(const at::Tensor& expert_TK, const at::Tensor& gate_TK) {
  MOESCOPE_ASSERT(expert_TK.dim() == 2 && expert_TK.sizes() == gate_TK.sizes(), "one gate per choice");
  const std::int64_t num_tokens = expert_TK.size(0);
  const std::int64_t num_choices = expert_TK.size(1);
  MOESCOPE_ASSERT(num_choices >= 1, "token choice chooses something");
  SparseRouting routing;
  routing.token_N = at::arange(num_tokens, at::kLong).to(expert_TK.device()).repeat({num_choices});
  // The transpose puts all first choices before all second ones.
  routing.expert_N = expert_TK.t().reshape({-1});
  routing.gate_N = gate_TK.t().reshape({-1});
  routing.choices_per_token = static_cast<int>(num_choices);
  return routing;
}

SparseRouting some_choices(const at::Tensor& expert_TK, const at::Tensor& gate_TK, const at::Tensor& wanted_TK) {
  SparseRouting routing = token_choice(expert_TK, gate_TK);
  const at::Tensor place_N = wanted_TK.t().reshape({-1}).nonzero().squeeze(1);
  if (place_N.numel() == routing.token_N.numel()) return routing;
  routing.token_N = routing.token_N.index_select(0, place_N);
  routing.expert_N = routing.expert_N.index_select(0, place_N);
  routing.gate_N = routing.gate_N.index_select(0, place_N);
  routing.choices_per_token = 0;
  return routing;
}

at::Tensor emission_TE(const DenseRouting& dense, std::int64_t num_tokens) {
  const at::Tensor mass_GIE = dense.combine_GIES.detach().sum(3);
  const std::int64_t num_experts = mass_GIE.size(2);
  return at::zeros({num_tokens, num_experts}, mass_GIE.options())
      .index_add(0, dense.member_GI.reshape({-1}), mass_GIE.reshape({-1, num_experts}));
}

}  // namespace moescope::moe
