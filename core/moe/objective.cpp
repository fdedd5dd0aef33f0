#include "core/moe/objective.h"

#include <ATen/ATen.h>

#include <utility>

namespace moescope::moe {
namespace {

constexpr std::int64_t kNoTarget = -100;

/// Mean cross-entropy over the tokens that have a target; zero when none has.
at::Tensor mean_cross_entropy(const at::Tensor& logits_TV, const at::Tensor& target_T) {
  const at::Tensor sum = at::cross_entropy_loss(logits_TV, target_T, {}, at::Reduction::Sum, kNoTarget);
  return sum / target_T.ne(kNoTarget).sum().clamp_min(1);
}

/// Adds to the term of the same name and coefficient, so that the total is always Σ coefficient · value.
void add_term(std::vector<LossTerm>& terms, const AuxiliaryLoss& loss) {
  for (LossTerm& term : terms) {
    if (term.name != loss.name || term.coefficient != loss.coefficient) continue;
    term.value = term.value + loss.value;
    return;
  }
  terms.push_back({loss.name, loss.value, loss.coefficient});
}

class SinglePassObjective : public Objective {
 public:
  StepLosses compute(const MakePass& make_pass, const at::Tensor& target_T) override {
    ModelPass pass = make_pass(0);
    StepLosses losses;
    losses.terms.push_back({"task", mean_cross_entropy(pass.logits_TV, target_T), 1.0});
    // Summed over layers, not the last layer's alone as in StableMoE's decoder loop.
    for (const LayerRecord& layer : pass.layers) {
      for (const AuxiliaryLoss& loss : layer.routing.losses) add_term(losses.terms, loss);
    }
    losses.total = losses.terms.front().value;
    for (std::size_t i = 1; i < losses.terms.size(); ++i) {
      const LossTerm& term = losses.terms[i];
      if (term.coefficient != 0) losses.total = losses.total + term.coefficient * term.value;
    }
    losses.layers = std::move(pass.layers);
    return losses;
  }
};

}  // namespace

std::unique_ptr<Objective> single_pass_objective() { return std::make_unique<SinglePassObjective>(); }

}  // namespace moescope::moe
