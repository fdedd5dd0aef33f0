#include "core/moe/experts.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/base/assert.h"

namespace moescope::moe {
namespace {

constexpr double kNormEpsilon = 1e-5;

/// torch's default start of a Linear layer: weight and bias uniform in ±1/√fan_in.
Init linear_default(std::int64_t fan_in) { return Init::uniform(1.0 / std::sqrt(static_cast<double>(fan_in))); }

}  // namespace

Experts::Experts(const ExpertShape& shape, const std::string& prefix, ParameterSet& parameters) : shape_(shape) {
  const bool residual = shape.kind == ExpertKind::kResidual;
  const std::int64_t d_model = shape.d_model;
  const std::int64_t hidden = shape.hidden;
  for (int expert = 0; expert < shape.num_experts; ++expert) {
    std::vector<Sublayer>& stack = sublayers_.emplace_back();
    for (int depth = 0; depth < (residual ? shape.sublayers : 1); ++depth) {
      std::string name = prefix + ".expert." + std::to_string(expert);
      if (residual && shape.sublayers > 1) name += ".sublayer." + std::to_string(depth);
      const auto add = [&](const char* part, const std::vector<std::int64_t>& size, Init init) {
        const bool decayed = size.size() > 1;
        return parameters.add(name + "." + part, size, init, ParameterRole::kExpert, expert, false, decayed);
      };
      Sublayer& sublayer = stack.emplace_back();
      if (residual) {
        sublayer.norm_weight = add("norm.weight", {d_model}, Init::ones());
        sublayer.norm_bias = add("norm.bias", {d_model}, Init::zeros());
      }
      sublayer.w1 = add("w1", {hidden, d_model}, linear_default(d_model));
      sublayer.b1 = add("b1", {hidden}, linear_default(d_model));
      // A fresh residual expert is the identity plus a small constant (StableMoE's code).
      sublayer.w2 = add("w2", {d_model, hidden}, residual ? Init::zeros() : linear_default(hidden));
      sublayer.b2 = add("b2", {d_model}, linear_default(hidden));
    }
  }
}

at::Tensor Experts::forward(const at::Tensor& rows_MD, const std::vector<std::int64_t>& offset_E1) const {
  MOESCOPE_ASSERT(offset_E1.size() == sublayers_.size() + 1, "one range of rows per expert");
  std::vector<std::int64_t> sizes;
  std::vector<std::size_t> busy;
  for (std::size_t e = 0; e < sublayers_.size(); ++e) {
    if (offset_E1[e + 1] == offset_E1[e]) continue;
    busy.push_back(e);
    sizes.push_back(offset_E1[e + 1] - offset_E1[e]);
  }
  if (busy.empty()) return rows_MD;
  if (busy.size() == 1) return forward_one(busy[0], rows_MD);
  // One split, whose backward is one cat. A narrow() per expert would build a zero tensor of all rows for each.
  std::vector<at::Tensor> parts = rows_MD.split_with_sizes(sizes);
  for (std::size_t i = 0; i < busy.size(); ++i) parts[i] = forward_one(busy[i], parts[i]);
  return at::cat(parts);
}

at::Tensor Experts::forward_one(std::size_t expert, const at::Tensor& rows_MD) const {
  const std::vector<Sublayer>& stack = sublayers_[expert];
  if (shape_.kind == ExpertKind::kPlain) {
    const Sublayer& only = stack[0];
    return at::linear(at::relu(at::linear(rows_MD, only.w1, only.b1)), only.w2, only.b2);
  }
  at::Tensor state_MD = rows_MD;
  at::Tensor sum_MD;
  for (const Sublayer& one : stack) {
    const at::Tensor normed_MD =
        at::layer_norm(state_MD, {state_MD.size(1)}, one.norm_weight, one.norm_bias, kNormEpsilon);
    const at::Tensor step_MD = at::linear(at::relu(at::linear(normed_MD, one.w1, one.b1)), one.w2, one.b2);
    sum_MD = sum_MD.defined() ? sum_MD + step_MD : step_MD;
    if (&one != &stack.back()) state_MD = state_MD + step_MD;
  }
  return sum_MD;
}

void Experts::set_frozen(int expert, bool frozen) {
  MOESCOPE_ASSERT(expert >= 0 && expert < shape_.num_experts, "the trainer checks the expert's number first");
  for (Sublayer& one : sublayers_[static_cast<std::size_t>(expert)]) {
    for (at::Tensor* tensor : {&one.norm_weight, &one.norm_bias, &one.w1, &one.b1, &one.w2, &one.b2}) {
      if (tensor->defined()) tensor->requires_grad_(!frozen);
    }
  }
}

}  // namespace moescope::moe
