#include "core/model/embedding.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

#include <cmath>

namespace moescope::model {

Embedding::Embedding(const config::ModelConfig& model, int vocab_size, moe::ParameterSet& parameters) {
  using moe::ParameterRole;
  const int D = model.d_model;
  // Scaled by √d on the way in, so the residual stream starts with unit variance and the head with logits of order one.
  const moe::Init start = moe::Init::normal(1 / std::sqrt(static_cast<double>(D)));
  token_VD_ = parameters.add("embedding.token", {vocab_size, D}, start, ParameterRole::kBackbone, -1, false, false);
  if (model.positions == "rotary") {
    rotary_ = std::make_unique<Rotary>(model.context, D / model.num_heads);
  } else {
    position_LD_ =
        parameters.add("embedding.position", {model.context, D}, start, ParameterRole::kBackbone, -1, false, false);
  }
}

at::Tensor Embedding::embed(const at::Tensor& tokens_BL) const {
  const std::int64_t L = tokens_BL.size(1);
  at::Tensor x_BLD = at::embedding(token_VD_, tokens_BL);
  if (position_LD_.defined()) x_BLD = x_BLD + position_LD_.narrow(0, 0, L);
  return (x_BLD * std::sqrt(static_cast<double>(x_BLD.size(2)))).view({-1, x_BLD.size(2)});
}

at::Tensor Embedding::logits(const at::Tensor& x_TD) const { return at::linear(x_TD, token_VD_); }

}  // namespace moescope::model
