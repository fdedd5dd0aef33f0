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

}  // namespace moescope::moe
