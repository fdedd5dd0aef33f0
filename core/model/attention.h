#pragma once
// Causal self-attention over whole sequences, with learned positions (added by the caller) or rotary ones.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "core/moe/parameter.h"

namespace moescope::model {

/// LayerNorm with weight and bias.
class Norm {
 public:
  Norm() = default;
  Norm(const std::string& prefix, int d_model, moe::ParameterSet& parameters);
  at::Tensor forward(const at::Tensor& x_TD) const;

 private:
  at::Tensor weight_D_, bias_D_;
};

/// Rotary tables (Su et al. 2021): pair i of a head turns by position · 10000^(−2i/width).
class Rotary {
 public:
  Rotary(int context, int head_width);
  /// x_BHLW with L ≤ context; halves of W are the two coordinates of each pair.
  at::Tensor turn(const at::Tensor& x_BHLW) const;

 private:
  at::Tensor cos_LW_, sin_LW_;
};

class SelfAttention {
 public:
  /// `out_scale` shrinks the start of the output projection, so that a deep residual stream does not grow with depth.
  SelfAttention(const std::string& prefix, int d_model, int num_heads, double out_scale, moe::ParameterSet& parameters);
  /// x_TD holds `num_sequences` sequences one after another. `rotary` may be null.
  at::Tensor forward(const at::Tensor& x_TD, std::int64_t num_sequences, const Rotary* rotary) const;

 private:
  int num_heads_;
  at::Tensor qkv_weight_, qkv_bias_, out_weight_, out_bias_;
};

}  // namespace moescope::model
