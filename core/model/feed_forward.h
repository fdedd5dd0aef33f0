#pragma once
// The two-layer network of a block that carries no MoE layer: W2·relu(W1·x + b1) + b2, inner width 4·d.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <string>

#include "core/moe/parameter.h"

namespace moescope::model {

class FeedForward {
 public:
  /// `out_scale` as for SelfAttention.
  FeedForward(const std::string& prefix, int d_model, double out_scale, moe::ParameterSet& parameters);
  at::Tensor forward(const at::Tensor& x_TD) const;

 private:
  at::Tensor w1_, b1_, w2_, b2_;
};

}  // namespace moescope::model
