#include "core/moe/score_head.h"

#include <ATen/ATen.h>

namespace moescope::moe {

ScoreHead::ScoreHead(const ScoreHeadShape& shape, const std::string& prefix, ParameterSet& parameters) {
  const std::int64_t num_experts = shape.num_experts;
  std::int64_t dim = shape.d_model;
  if (shape.router_dim > 0) {
    dim = shape.router_dim;
    reduce_RD_ = parameters.add(prefix + ".reduce", {dim, shape.d_model}, Init::orthogonal(1), ParameterRole::kRouter,
                                -1, shape.fixed);
  }
  rows_ER_ =
      parameters.add(prefix + ".rows", {num_experts, dim}, shape.row_init, ParameterRole::kRouter, -1, shape.fixed);
  if (shape.bias) {
    bias_E_ = parameters.add(prefix + ".bias", {num_experts}, Init::zeros(), ParameterRole::kRouter, -1, shape.fixed,
                             /*decayed=*/false);
  }
}

at::Tensor ScoreHead::vectors_TR(const at::Tensor& hidden_TD) const {
  const at::Tensor exact_TD = hidden_TD.scalar_type() == at::kDouble ? hidden_TD : hidden_TD.to(at::kFloat);
  return reduce_RD_.defined() ? at::linear(exact_TD, reduce_RD_) : exact_TD;
}

at::Tensor ScoreHead::scores_TE(const at::Tensor& vectors_TR) const {
  return bias_E_.defined() ? at::linear(vectors_TR, rows_ER_, bias_E_) : at::linear(vectors_TR, rows_ER_);
}

RouterSpaceTensors ScoreHead::space(const at::Tensor& hidden_TD) const {
  return {vectors_TR(hidden_TD).detach(), rows_ER_.detach()};
}

int ScoreHead::dim() const { return static_cast<int>(rows_ER_.size(1)); }

}  // namespace moescope::moe
