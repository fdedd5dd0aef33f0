#pragma once
// The part that SMoE, SMoE-Dropout, HyperRouter and the frozen random control share: scores, the k best, softmax over
// the chosen scores, a k of its own at evaluation. Threads: trainer thread only.

#include <ATen/ops/softmax.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/moe/k_schedule.h"
#include "core/moe/router_base.h"

namespace moescope::moe {

/// `Config` has top_k and eval_top_k, and may have k_schedule and k_start. All layers share k, as they share the step.
template <class Config>
class TopkRouter : public RouterBase<Config> {
 public:
  void begin_step(std::int64_t step) override { step_ = step; }

  int top_k() const override {
    if constexpr (requires(const Config& c) { c.k_schedule; }) {
      // Before the first step k is what it will be at the end, so that what is said of a run holds for its result.
      if (step_ >= 0)
        return k_at({this->config_.k_schedule, this->config_.k_start, this->config_.top_k}, step_, total_steps_);
    }
    return this->config_.top_k;
  }
  double most_experts_per_token(std::int64_t /*context*/) const override {
    if constexpr (requires(const Config& c) { c.k_schedule; }) {
      if (this->config_.k_schedule != "fixed") return std::max(this->config_.k_start, this->config_.top_k);
    }
    return top_k();
  }

 protected:
  TopkRouter(const RouterContext& context, config::FieldList<Config> fields)
      : RouterBase<Config>(context, std::move(fields)), total_steps_(context.total_steps) {
    this->allow_table();
  }

  int top_k_in(RouteMode mode) const {
    return mode == RouteMode::kEvaluate && this->config_.eval_top_k > 0 ? this->config_.eval_top_k : top_k();
  }

  /// Softmax over the chosen scores only: sums to 1, and with k = 1 is always 1.
  Routing route_scores(const RouterInput& input, const at::Tensor& scores_TE, SoftmaxTopk& choice) const {
    choice = this->choose(input, scores_TE, top_k_in(input.mode));
    Routing routing = this->routing_of(input, scores_TE, choice);
    routing.assignment = token_choice(choice.expert_TK, at::softmax(scores_TE.gather(1, choice.expert_TK), 1));
    return routing;
  }

  std::string refuse(const Config& wanted) const override {
    std::string why = RouterBase<Config>::refuse(wanted);
    if (why.empty()) why = this->too_many("eval_top_k", wanted.eval_top_k);
    if constexpr (requires { wanted.k_start; }) {
      if (why.empty()) why = this->too_many("k_start", wanted.k_start);
    }
    return why;
  }

 private:
  std::int64_t total_steps_;
  std::int64_t step_ = -1;
};

template <class Config>
config::Field<Config> eval_top_k_field() {
  return config::field(&Config::eval_top_k, "eval_top_k", "experts each token chooses at evaluation; 0: as in training")
      .range(0, 1024)
      .live();
}

template <class Config>
config::Field<Config> scheduled_top_k_field() {
  return config::field(&Config::top_k, "top_k", "experts each token chooses; under a schedule at its end")
      .range(1, 1024)
      .live();
}

template <class Config>
config::Field<Config> k_schedule_field() {
  return config::field(&Config::k_schedule, "k_schedule",
                       "how the number of chosen experts goes from k_start to top_k; fixed holds it at top_k")
      .choices(k_schedule_modes())
      .live();
}

template <class Config>
config::Field<Config> k_start_field() {
  return config::field(&Config::k_start, "k_start", "experts each token chooses at step 0, unless k_schedule is fixed")
      .range(1, 1024)
      .live();
}

/// Errors where eval_top_k or k_start exceed the number of experts. (top_k itself is a rule of every method.)
Diagnostics check_topk(const config::RunConfig& config);

/// A warning for a router that learns by its gates alone: with one choice the softmax over the chosen scores is always
/// 1. `who` is what then gets no gradient, `remedy` ends the hint for top_k.
void lint_single_choice(const config::RunConfig& config, const std::string& who, const std::string& remedy,
                        Diagnostics& found);

}  // namespace moescope::moe
