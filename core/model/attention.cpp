#include "core/model/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <optional>

#include "core/base/assert.h"

namespace moescope::model {

using moe::Init;
using moe::ParameterRole;

Norm::Norm(const std::string& prefix, int d_model, moe::ParameterSet& parameters) {
  weight_D_ = parameters.add(prefix + ".weight", {d_model}, Init::ones(), ParameterRole::kBackbone, -1, false, false);
  bias_D_ = parameters.add(prefix + ".bias", {d_model}, Init::zeros(), ParameterRole::kBackbone, -1, false, false);
}

at::Tensor Norm::forward(const at::Tensor& x_TD) const {
  return at::layer_norm(x_TD, {x_TD.size(-1)}, weight_D_, bias_D_, 1e-5);
}

Rotary::Rotary(int context, int head_width) {
  const at::Tensor pair = at::arange(0, head_width, 2).to(at::kDouble) / head_width;
  const at::Tensor turn_LP = at::outer(at::arange(context).to(at::kDouble), at::pow(1e-4, pair));
  const at::Tensor turn_LW = at::cat({turn_LP, turn_LP}, 1);
  cos_LW_ = turn_LW.cos().to(at::kFloat);
  sin_LW_ = turn_LW.sin().to(at::kFloat);
}

at::Tensor Rotary::turn(const at::Tensor& x_BHLW) const {
  const std::int64_t length = x_BHLW.size(2), half = x_BHLW.size(3) / 2;
  const at::Tensor first = x_BHLW.narrow(3, 0, half), second = x_BHLW.narrow(3, half, half);
  const at::Tensor across_BHLW = at::cat({second.neg(), first}, 3);
  return x_BHLW * cos_LW_.narrow(0, 0, length) + across_BHLW * sin_LW_.narrow(0, 0, length);
}

Grid grid_of(const at::Tensor& tokens_BL, const at::Tensor& cell_T) {
  Grid grid{tokens_BL.size(0)};
  if (!cell_T.defined()) return grid;
  const at::Tensor token_C = at::zeros({tokens_BL.numel()}, at::kBool).index_fill_(0, cell_T, 1);
  grid.token_B11L = token_C.view({tokens_BL.size(0), 1, 1, tokens_BL.size(1)});
  return grid;
}

SelfAttention::SelfAttention(const std::string& prefix, int d_model, int num_heads, double out_scale,
                             moe::ParameterSet& parameters, bool causal)
    : num_heads_(num_heads), causal_(causal) {
  const double deviation = 1 / std::sqrt(static_cast<double>(d_model));
  const auto role = ParameterRole::kBackbone;
  qkv_weight_ = parameters.add(prefix + ".qkv.weight", {3 * d_model, d_model}, Init::normal(deviation), role);
  qkv_bias_ = parameters.add(prefix + ".qkv.bias", {3 * d_model}, Init::zeros(), role, -1, false, false);
  out_weight_ = parameters.add(prefix + ".out.weight", {d_model, d_model}, Init::normal(out_scale * deviation), role);
  out_bias_ = parameters.add(prefix + ".out.bias", {d_model}, Init::zeros(), role, -1, false, false);
}

at::Tensor SelfAttention::forward(const at::Tensor& x_CD, const Grid& grid, const Rotary* rotary) const {
  const std::int64_t B = grid.num_sequences, D = x_CD.size(1), L = x_CD.size(0) / B, W = D / num_heads_;
  const at::Tensor qkv = at::linear(x_CD, qkv_weight_, qkv_bias_)
                             .view({B, L, 3, num_heads_, W})
                             .permute({2, 0, 3, 1, 4});  // 3BHLW, last stride 1 as the fused kernel wants it
  at::Tensor query = qkv.select(0, 0), key = qkv.select(0, 1);
  if (rotary) {
    query = rotary->turn(query);
    key = rotary->turn(key);
  }
  std::optional<at::Tensor> mask;
  if (!causal_ && grid.token_B11L.defined()) mask = grid.token_B11L.expand({B, 1, L, L});
  const at::Tensor mixed_BHLW = at::scaled_dot_product_attention(query, key, qkv.select(0, 2), mask, 0.0, causal_);
  return at::linear(mixed_BHLW.transpose(1, 2).reshape({x_CD.size(0), D}), out_weight_, out_bias_);
}

CrossAttention::CrossAttention(const std::string& prefix, int d_model, int num_heads, double out_scale,
                               moe::ParameterSet& parameters)
    : num_heads_(num_heads) {
  const double deviation = 1 / std::sqrt(static_cast<double>(d_model));
  const auto role = ParameterRole::kBackbone;
  const auto bias = [&](const std::string& name, int width) {
    return parameters.add(prefix + name, {width}, Init::zeros(), role, -1, false, false);
  };
  query_weight_ = parameters.add(prefix + ".query.weight", {d_model, d_model}, Init::normal(deviation), role);
  query_bias_ = bias(".query.bias", d_model);
  key_value_weight_ =
      parameters.add(prefix + ".key_value.weight", {2 * d_model, d_model}, Init::normal(deviation), role);
  key_value_bias_ = bias(".key_value.bias", 2 * d_model);
  out_weight_ = parameters.add(prefix + ".out.weight", {d_model, d_model}, Init::normal(out_scale * deviation), role);
  out_bias_ = bias(".out.bias", d_model);
}

at::Tensor CrossAttention::forward(const at::Tensor& x_CD, const Memory& memory) const {
  const std::int64_t B = memory.grid.num_sequences, D = x_CD.size(1), W = D / num_heads_;
  const std::int64_t L = x_CD.size(0) / B, M = memory.hidden_CD.size(0) / B;
  MOESCOPE_ASSERT(L * B == x_CD.size(0), "each sequence of the memory is asked by equally many rows");
  const at::Tensor query_BHLW =
      at::linear(x_CD, query_weight_, query_bias_).view({B, L, num_heads_, W}).transpose(1, 2);
  const at::Tensor key_value = at::linear(memory.hidden_CD, key_value_weight_, key_value_bias_)
                                   .view({B, M, 2, num_heads_, W})
                                   .permute({2, 0, 3, 1, 4});
  std::optional<at::Tensor> mask;
  if (memory.grid.token_B11L.defined()) mask = memory.grid.token_B11L.expand({B, 1, L, M});
  const at::Tensor mixed_BHLW =
      at::scaled_dot_product_attention(query_BHLW, key_value.select(0, 0), key_value.select(0, 1), mask, 0.0, false);
  return at::linear(mixed_BHLW.transpose(1, 2).reshape({x_CD.size(0), D}), out_weight_, out_bias_);
}

}  // namespace moescope::model
