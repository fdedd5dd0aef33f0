#include "core/moe/objective.h"

#include <ATen/ATen.h>

#include <utility>

namespace moescope::moe {
namespace {

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
  explicit SinglePassObjective(double label_smoothing) : label_smoothing_(label_smoothing) {}

  StepLosses compute(const MakePass& make_pass, const at::Tensor& target_T) override {
    ModelPass pass = make_pass(0);
    StepLosses losses;
    losses.terms.push_back({"task", mean_cross_entropy(pass.logits_TV, target_T, label_smoothing_), 1.0});
    add_auxiliary(pass.layers, losses.terms);
    losses.total = total_of(losses.terms);
    losses.layers = std::move(pass.layers);
    return losses;
  }

 private:
  double label_smoothing_;
};

}  // namespace

at::Tensor mean_cross_entropy(const at::Tensor& logits_TV, const at::Tensor& target_T, double smoothing) {
  const at::Tensor count = target_T.ne(kNoTarget).sum().clamp_min(1);
  const at::Tensor sum = at::cross_entropy_loss(logits_TV, target_T, {}, at::Reduction::Sum, kNoTarget);
  const std::int64_t V = logits_TV.size(1);
  if (smoothing == 0 || V < 2) return sum / count;
  // (1 − ε)·nll_target + ε/(V−1)·Σ_others nll = (1 − ε − ε/(V−1))·nll_target + ε/(V−1)·Σ_all nll.
  const double each = smoothing / static_cast<double>(V - 1);
  const at::Tensor all_T = -at::log_softmax(logits_TV, 1).sum(1);
  const at::Tensor all = all_T.masked_fill(target_T.eq(kNoTarget), 0).sum();
  return ((1 - smoothing - each) * sum + each * all) / count;
}

/// Summed over layers, not the last layer's alone as in StableMoE's decoder loop.
void add_auxiliary(const std::vector<LayerRecord>& layers, std::vector<LossTerm>& terms) {
  for (const LayerRecord& layer : layers) {
    for (const AuxiliaryLoss& loss : layer.routing.losses) add_term(terms, loss);
  }
}

at::Tensor total_of(const std::vector<LossTerm>& terms) {
  at::Tensor total;
  for (const LossTerm& term : terms) {
    if (term.coefficient == 0) continue;
    const at::Tensor part = term.coefficient == 1 ? term.value : term.coefficient * term.value;
    total = total.defined() ? total + part : part;
  }
  return total.defined() ? total : 0 * terms.front().value;
}

std::unique_ptr<Objective> single_pass_objective(double label_smoothing) {
  return std::make_unique<SinglePassObjective>(label_smoothing);
}

}  // namespace moescope::moe
