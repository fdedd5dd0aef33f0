#include "core/train/evaluation.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <limits>

namespace moescope::train {

double validation_loss(model::Model& model, const std::vector<model::Batch>& batches) {
  const c10::AutoGradMode no_gradient(false);
  double sum = 0;
  std::int64_t tokens = 0;
  for (const model::Batch& batch : batches) {
    // Seed 0: an evaluation rule that draws (random routing) draws the same each time, so losses compare.
    const moe::ModelPass pass = model.forward(batch, moe::RouteMode::kEvaluate, 0);
    const std::int64_t asked = batch.target_T.ne(moe::kNoTarget).sum().item<std::int64_t>();
    sum += moe::mean_cross_entropy(pass.logits_TV, batch.target_T).item<double>() * static_cast<double>(asked);
    tokens += asked;
  }
  return tokens == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(tokens);
}

}  // namespace moescope::train
