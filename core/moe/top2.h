#pragma once
// What the top-2 methods share: GShard (Lepikhin et al. 2020) and ST-MoE (Zoph et al. 2022). The two best experts by
// softmax, gates renormalised over the two before anything is dropped, a capacity for the whole batch in which all
// first choices find their slots before any second one, and a balance loss that counts first choices. So where slots
// run out, a later token's first choice takes the slot of an earlier token's second one: what the traits say of
// causality holds without a limit.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>

#include "core/moe/balance_loss.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"

namespace moescope::moe {

/// The chosen probabilities over their sum, so that a token's gates add up to 1.
at::Tensor renormalised_gates(const at::Tensor& probs_TE, const at::Tensor& expert_TK);

/// ⌈factor · K · ⌈T/E⌉⌉ slots for the whole batch: at factor 1 GShard's own 2·⌈T/E⌉, which holds all choices if they
/// spread evenly. No limit for factor ≤ 0 and in the probe.
Capacity share_capacity(double factor, int top_k, std::int64_t num_tokens, std::int64_t num_experts, RouteMode mode);

/// mean_t (log Σ_i exp s_{t,i})² (Zoph et al. 2022, equation 5): keeps scores small. Zero for no tokens.
at::Tensor router_z_loss(const at::Tensor& scores_TE);

/// `Config` has balance_coefficient, eval_capacity_factor and router_dim.
template <class Config>
class Top2Router : public RouterBase<Config> {
 public:
  Capacity capacity(std::int64_t num_tokens, RouteMode mode) const override {
    if (this->capacity_factor_ <= 0) return {};
    const bool training = mode == RouteMode::kTrain;
    const double factor = training ? this->capacity_factor_ : this->config_.eval_capacity_factor;
    return share_capacity(factor, top_k(), num_tokens, this->num_experts_, mode);
  }
  int top_k() const override { return this->num_experts_ > 1 ? 2 : 1; }
  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 protected:
  Top2Router(const RouterContext& context, ParameterSet& parameters, config::FieldList<Config> fields)
      : RouterBase<Config>(context, std::move(fields)),
        head_({context.d_model, context.num_experts, this->config_.router_dim, /*bias=*/false, Init::normal(0.02)},
              context.prefix, parameters) {
    this->keep_parameters(context, parameters);
    this->allow_table();
  }

  struct TwoBest {
    SoftmaxTopk choice;
    at::Tensor gate_TK;
    Routing routing;  ///< without its assignment
  };
  TwoBest two_best(const RouterInput& input) const {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    TwoBest found;
    found.choice = this->choose(input, scores_TE, top_k());
    found.gate_TK = renormalised_gates(found.choice.probs_TE, found.choice.expert_TK);
    found.routing = this->routing_of(input, scores_TE, found.choice);
    return found;
  }
  AuxiliaryLoss balance(const SoftmaxTopk& choice) const {
    return {"balance", switch_balance_loss(choice.probs_TE, choice.expert_TK.narrow(1, 0, 1)),
            this->config_.balance_coefficient};
  }

 private:
  ScoreHead head_;
};

template <class Config>
config::Field<Config> first_choice_balance_field() {
  return config::field(&Config::balance_coefficient, "balance_coefficient",
                       "weight of the load-balance loss, which counts first choices")
      .range(0, 100)
      .live();
}

template <class Config>
config::Field<Config> eval_capacity_factor_field() {
  return config::field(&Config::eval_capacity_factor, "eval_capacity_factor",
                       "capacity factor at evaluation, when there is a limit at all")
      .above(0)
      .range(0, 1000);
}

template <class Config>
config::Field<Config> z_coefficient_field() {
  return config::field(&Config::z_coefficient, "z_coefficient",
                       "weight of the z-loss, the mean squared log of the scores' summed exponentials; 0 is none")
      .range(0, 100)
      .live();
}

}  // namespace moescope::moe
