#pragma once
// Experts that multiply by a number, so that outputs can be written down: f_e(h) = (e + 1)·h.

#include <string>

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe::test {

/// relu(h) − relu(−h) = h makes a plain expert linear; biases, where there are any, become zero. Requires: hidden width
/// 2d.
inline void make_linear_experts(ToyLayer& toy, int d_model) {
  const at::Tensor identity = at::eye(d_model, at::kDouble);
  for (Parameter& one : toy.parameters.all()) {
    if (one.role != ParameterRole::kExpert) continue;
    if (one.name.ends_with(".w1")) overwrite(one.tensor, at::cat({identity, -identity}, 0));
    if (one.name.ends_with(".w2")) overwrite(one.tensor, at::cat({identity, -identity}, 1) * (one.expert + 1));
    if (one.name.ends_with(".b1") || one.name.ends_with(".b2")) one.tensor.detach().zero_();
  }
}

}  // namespace moescope::moe::test
