#include "core/train/train_step.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "core/base/seed.h"

namespace moescope::train {

namespace {

void require_finite(const moe::StepLosses& losses) {
  const auto check = [](const std::string& name, const at::Tensor& value) {
    if (std::isfinite(value.item<double>())) return;
    throw std::runtime_error("the " + name +
                             " loss is not finite; nothing was updated. Lower train.lr, or its coefficient");
  };
  for (const moe::LossTerm& term : losses.terms) check(term.name, term.value);
  check("total", losses.total);
}

}  // namespace

StepResult train_step(model::Model& model, moe::Objective& objective, model::BatchSource& stream, AdamW& optimizer,
                      const StepPlan& plan, PhaseClock& clock) {
  clock.enter(Phase::kData);
  StepResult result;
  result.batch = stream.batch(plan.step);

  clock.enter(Phase::kForward);
  optimizer.clear_gradients();
  model.begin_step(plan.step);
  const moe::MakePass make_pass = [&](int pass) {
    const std::uint64_t noise_seed = derive_seed(plan.run_seed, "router noise", static_cast<std::uint64_t>(plan.step),
                                                 static_cast<std::uint64_t>(pass));
    return model.forward(result.batch, moe::RouteMode::kTrain, noise_seed);
  };
  result.losses = objective.compute(make_pass, result.batch.target_T);
  require_finite(result.losses);

  clock.enter(Phase::kBackward);
  result.losses.total.backward();

  clock.enter(Phase::kOptimizer);
  result.grad_norm = optimizer.step(plan.lr);
  model.after_step(result.losses.layers);
  return result;
}

}  // namespace moescope::train
