#include "core/moe/softmax_topk.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>

#include "core/base/assert.h"
#include "core/moe/router.h"
#include "kernels/router_topk.h"

namespace moescope::moe {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool is_cpu_float(const at::Tensor& tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kFloat; }

/// One kernel walk.
variable_list choose_by_kernel(const at::Tensor& scores_TE, int top_k) {
  const std::int64_t num_tokens = scores_TE.size(0);
  const at::Tensor contiguous_TE = scores_TE.contiguous();
  const at::Tensor probs_TE = at::empty_like(contiguous_TE);
  const at::Tensor expert_TK = at::empty({num_tokens, top_k}, at::kInt);
  const at::Tensor entropy_T = at::empty({num_tokens}, at::kFloat);
  const at::Tensor margin_T = at::empty({num_tokens}, at::kFloat);
  const kernels::RouterTopkShape shape{num_tokens, static_cast<std::int32_t>(scores_TE.size(1)), top_k};
  kernels::RouterTopkOutput output;
  output.probs_TE = probs_TE.mutable_data_ptr<float>();
  output.expert_TK = expert_TK.mutable_data_ptr<std::int32_t>();
  output.entropy_T = entropy_T.mutable_data_ptr<float>();
  output.margin_T = margin_T.mutable_data_ptr<float>();
  kernels::router_topk(contiguous_TE.const_data_ptr<float>(), shape, output, 0, num_tokens);
  return {probs_TE, expert_TK.to(at::kLong), entropy_T, margin_T};
}

/// The same by ATen. A stable sort, because at::topk promises no order for ties.
variable_list choose_by_aten(const at::Tensor& scores_TE, int top_k) {
  const at::Tensor probs_TE = at::softmax(scores_TE, 1);
  const at::Tensor order_TE = std::get<1>(at::sort(scores_TE, /*stable=*/true, /*dim=*/1, /*descending=*/true));
  const at::Tensor entropy_T = at::special_entr(probs_TE).sum(1);
  const at::Tensor best_T = probs_TE.gather(1, order_TE.narrow(1, 0, 1)).squeeze(1);
  const at::Tensor margin_T =
      scores_TE.size(1) == 1 ? at::ones_like(best_T) : best_T - probs_TE.gather(1, order_TE.narrow(1, 1, 1)).squeeze(1);
  return {probs_TE, order_TE.narrow(1, 0, top_k).contiguous(), entropy_T, margin_T};
}

struct SoftmaxTopkFunction : torch::autograd::Function<SoftmaxTopkFunction> {
  static variable_list forward(AutogradContext* context, const at::Tensor& scores_TE, std::int64_t top_k) {
    const int k = static_cast<int>(top_k);
    variable_list made = is_cpu_float(scores_TE) ? choose_by_kernel(scores_TE, k) : choose_by_aten(scores_TE, k);
    context->set_materialize_grads(false);
    context->mark_non_differentiable({made[1], made[2], made[3]});
    context->save_for_backward({made[0]});
    return made;
  }

  /// Of the softmax: ∂L/∂s_i = p_i (g_i − Σ_j p_j g_j).
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    if (!grads[0].defined()) return {at::Tensor(), at::Tensor()};
    const at::Tensor probs_TE = context->get_saved_variables()[0];
    const at::Tensor weighted_TE = grads[0] * probs_TE;
    return {weighted_TE - probs_TE * weighted_TE.sum(1, /*keepdim=*/true), at::Tensor()};
  }
};

/// Vectorises: no early exit, no branch.
bool all_finite(const float* values, std::int64_t count) {
  bool bad = false;
  for (std::int64_t i = 0; i < count; ++i) bad |= !(std::fabs(values[i]) <= std::numeric_limits<float>::max());
  return !bad;
}

}  // namespace

void require_finite(const at::Tensor& scores_TE) {
  const at::Tensor values_TE = scores_TE.detach();
  if (is_cpu_float(values_TE) && values_TE.is_contiguous() &&
      all_finite(values_TE.const_data_ptr<float>(), values_TE.numel())) {
    return;
  }
  const at::Tensor bad_T = at::isfinite(values_TE).logical_not().any(1);
  const std::int64_t num_bad = bad_T.sum().item<std::int64_t>();
  if (num_bad > 0) non_finite_scores(bad_T.to(at::kInt).argmax().item<std::int64_t>(), num_bad);
}

SoftmaxTopk softmax_topk(const at::Tensor& scores_TE, int top_k) {
  MOESCOPE_ASSERT(scores_TE.dim() == 2 && top_k >= 1 && top_k <= scores_TE.size(1),
                  "a token cannot choose more experts than there are; the configuration's check says so first");
  require_finite(scores_TE);
  const variable_list made = SoftmaxTopkFunction::apply(scores_TE, static_cast<std::int64_t>(top_k));
  return {made[0], made[1], made[2], made[3]};
}

}  // namespace moescope::moe
