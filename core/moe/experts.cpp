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
  for (int expert = 0; expert < shape.num_experts; ++expert) {
    const std::string name = prefix + ".expert." + std::to_string(expert);
    stacks_.push_back(make_stack(name, ParameterRole::kExpert, expert, parameters));
  }
  if (shape.shared) shared_ = make_stack(prefix + ".shared", ParameterRole::kBackbone, -1, parameters);
}

Experts::Stack Experts::make_stack(const std::string& name, ParameterRole role, int expert,
                                   ParameterSet& parameters) const {
  const bool residual = shape_.kind == ExpertKind::kResidual, bias = residual || shape_.bias;
  const std::int64_t d_model = shape_.d_model, hidden = shape_.hidden;
  Stack stack;
  for (int depth = 0; depth < (residual ? shape_.sublayers : 1); ++depth) {
    const bool several = residual && shape_.sublayers > 1;
    const std::string here = name + (several ? ".sublayer." + std::to_string(depth) : "");
    const auto add = [&](const char* part, const std::vector<std::int64_t>& size, Init init) {
      const bool decayed = size.size() > 1;
      return parameters.add(here + "." + part, size, init, role, expert, false, decayed);
    };
    Sublayer& sublayer = stack.emplace_back();
    if (residual) {
      sublayer.norm_weight = add("norm.weight", {d_model}, Init::ones());
      sublayer.norm_bias = add("norm.bias", {d_model}, Init::zeros());
    }
    sublayer.w1 = add("w1", {hidden, d_model}, linear_default(d_model));
    if (bias) sublayer.b1 = add("b1", {hidden}, linear_default(d_model));
    // A fresh residual expert is the identity plus a small constant (StableMoE's code).
    sublayer.w2 = add("w2", {d_model, hidden}, residual ? Init::zeros() : linear_default(hidden));
    if (bias) sublayer.b2 = add("b2", {d_model}, linear_default(hidden));
  }
  return stack;
}

at::Tensor Experts::forward(const at::Tensor& rows_MD, const std::vector<std::int64_t>& offset_E1) const {
  MOESCOPE_ASSERT(offset_E1.size() == stacks_.size() + 1, "one range of rows per expert");
  std::vector<std::int64_t> sizes;
  std::vector<std::size_t> busy;
  for (std::size_t e = 0; e < stacks_.size(); ++e) {
    if (offset_E1[e + 1] == offset_E1[e]) continue;
    busy.push_back(e);
    sizes.push_back(offset_E1[e + 1] - offset_E1[e]);
  }
  if (busy.empty()) return rows_MD;
  if (busy.size() == 1) return forward_one(stacks_[busy[0]], rows_MD);
  // One split, whose backward is one cat. A narrow() per expert would build a zero tensor of all rows for each.
  std::vector<at::Tensor> parts = rows_MD.split_with_sizes(sizes);
  for (std::size_t i = 0; i < busy.size(); ++i) parts[i] = forward_one(stacks_[busy[i]], parts[i]);
  return at::cat(parts);
}

at::Tensor Experts::forward_shared(const at::Tensor& rows_MD) const {
  MOESCOPE_ASSERT(has_shared(), "the layer asks first");
  return forward_one(shared_, rows_MD);
}

at::Tensor Experts::forward_one(const Stack& stack, const at::Tensor& rows_MD) const {
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
  for (Sublayer& one : stacks_[static_cast<std::size_t>(expert)]) {
    for (at::Tensor* tensor : {&one.norm_weight, &one.norm_bias, &one.w1, &one.b1, &one.w2, &one.b2}) {
      if (tensor->defined()) tensor->requires_grad_(!frozen);
    }
  }
}

}  // namespace moescope::moe
