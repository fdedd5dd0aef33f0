#include "core/model/classifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include <cmath>

namespace moescope::model {

Classifier::Classifier(const config::RunConfig& config, const moe::Method& method, int vocab_size, int num_classes,
                       const std::shared_ptr<const std::vector<std::int64_t>>& token_count_V)
    : TinyLm(config, method, vocab_size, token_count_V) {
  const int D = config.model.d_model;
  const auto role = moe::ParameterRole::kBackbone;
  const moe::Init start = moe::Init::normal(1 / std::sqrt(static_cast<double>(D)));
  weight_CD_ = parameters_.add("head.class.weight", {num_classes, D}, start, role);
  bias_C_ = parameters_.add("head.class.bias", {num_classes}, moe::Init::zeros(), role, -1, false, false);
}

moe::ModelPass Classifier::forward(const Batch& batch, moe::RouteMode mode, std::uint64_t noise_seed) {
  moe::ModelPass pass;
  const at::Tensor x_CD = run_blocks(batch, mode, noise_seed, pass.layers);
  const at::Tensor x_BLD = x_CD.view({batch.tokens_BL.size(0), batch.tokens_BL.size(1), -1});
  at::Tensor mean_BD;
  if (batch.cell_T.defined()) {
    const at::Tensor token_B11L = grid_of(batch.tokens_BL, batch.cell_T).token_B11L;
    const at::Tensor token_BL1 = token_B11L.view({x_BLD.size(0), x_BLD.size(1), 1}).to(x_BLD.scalar_type());
    mean_BD = (x_BLD * token_BL1).sum(1) / token_BL1.sum(1);
  } else {
    mean_BD = x_BLD.mean(1);
  }
  pass.logits_TV = at::linear(mean_BD, weight_CD_, bias_C_);
  return pass;
}

Model::Use Classifier::use_of(const moe::Parameter& parameter) const {
  // Its head is another, and meets one row per text instead of one per token.
  if (parameter.name == "embedding.token" || parameter.name == "head.class.weight") return {0, 0};
  return TinyLm::use_of(parameter);
}

}  // namespace moescope::model
