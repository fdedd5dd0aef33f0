#include "core/moe/thor_objective.h"

#include <ATen/ATen.h>

#include <utility>

namespace moescope::moe {
namespace {

class ThorObjective : public Objective {
 public:
  ThorObjective(double consistency_weight, double label_smoothing)
      : consistency_weight_(consistency_weight), label_smoothing_(label_smoothing) {}

  StepLosses compute(const MakePass& make_pass, const at::Tensor& target_T) override {
    ModelPass first = make_pass(0);
    const ModelPass second = make_pass(1);
    const at::Tensor task = mean_cross_entropy(first.logits_TV, target_T, label_smoothing_) +
                            mean_cross_entropy(second.logits_TV, target_T, label_smoothing_);
    StepLosses losses;
    losses.terms.push_back({"task", task, 1.0});
    losses.terms.push_back(
        {"consistency", symmetric_divergence(first.logits_TV, second.logits_TV, target_T), consistency_weight_});
    add_auxiliary(first.layers, losses.terms);
    add_auxiliary(second.layers, losses.terms);
    losses.total = total_of(losses.terms);
    losses.layers = std::move(first.layers);
    return losses;
  }

  int passes() const override { return 2; }

  void set(const std::string& key, const config::Value& value) override {
    if (key != "consistency_weight") return;
    const auto* whole = std::get_if<std::int64_t>(&value);
    consistency_weight_ = whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
  }

 private:
  double consistency_weight_, label_smoothing_;
};

}  // namespace

at::Tensor symmetric_divergence(const at::Tensor& first_TV, const at::Tensor& second_TV, const at::Tensor& target_T) {
  const at::Tensor log_p_TV = at::log_softmax(first_TV, 1), log_q_TV = at::log_softmax(second_TV, 1);
  const at::Tensor each_T = 0.5 * ((log_p_TV.exp() - log_q_TV.exp()) * (log_p_TV - log_q_TV)).sum(1);
  const at::Tensor asked_T = target_T.ne(kNoTarget);
  return each_T.masked_fill(asked_T.logical_not(), 0).sum() / asked_T.sum().clamp_min(1);
}

std::unique_ptr<Objective> thor_objective(double consistency_weight, double label_smoothing) {
  return std::make_unique<ThorObjective>(consistency_weight, label_smoothing);
}

}  // namespace moescope::moe
