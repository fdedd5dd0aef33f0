#pragma once
// Attention over whole sequences: of a sequence to itself, causal or both ways, with learned positions (added by the
// caller) or rotary ones, and of a decoder to what its encoder made.
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

/// Sequences of one length, one after another: row b·L + position is a cell, and a cell holds a token or padding.
struct Grid {
  std::int64_t num_sequences = 1;
  at::Tensor token_B11L = {};  ///< bool: the cell holds a token. Undefined: every cell does
};

/// The grid of a batch's tokens. `cell_T` as in Batch: undefined when every cell holds one.
Grid grid_of(const at::Tensor& tokens_BL, const at::Tensor& cell_T);

/// What an encoder made of its grid.
struct Memory {
  at::Tensor hidden_CD;
  Grid grid;
};

class SelfAttention {
 public:
  /// `out_scale` shrinks the start of the output projection, so that a deep residual stream does not grow with depth.
  SelfAttention(const std::string& prefix, int d_model, int num_heads, double out_scale, moe::ParameterSet& parameters,
                bool causal = true);
  /// No token sees padding. A causal one needs no mask for that: padding stands behind a sequence's tokens. `rotary`
  /// may be null.
  at::Tensor forward(const at::Tensor& x_CD, const Grid& grid, const Rotary* rotary) const;

 private:
  int num_heads_;
  bool causal_;
  at::Tensor qkv_weight_, qkv_bias_, out_weight_, out_bias_;
};

/// Without positions of its own: what is where, the encoder's rows already tell.
class CrossAttention {
 public:
  CrossAttention(const std::string& prefix, int d_model, int num_heads, double out_scale,
                 moe::ParameterSet& parameters);
  /// x_CD belongs to the memory's sequences in their order, equally many rows to each: a beam of several prefixes of
  /// one sentence is one sequence here, so that nothing of the memory is copied.
  at::Tensor forward(const at::Tensor& x_CD, const Memory& memory) const;

 private:
  int num_heads_;
  at::Tensor query_weight_, query_bias_, key_value_weight_, key_value_bias_, out_weight_, out_bias_;
};

}  // namespace moescope::model
