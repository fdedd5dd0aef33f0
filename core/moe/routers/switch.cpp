// Switch Transformer (Fedus et al. 2021): softmax before top-1, so the chosen expert's probability is
// the gate and the router learns from the task at k = 1; capacity by groups, first come first served or by probability.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/moe/balance_loss.h"
#include "core/moe/drop_policy.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"
#include "core/moe/softmax_topk.h"
#include "core/moe/top2.h"

namespace moescope::moe {
namespace {

constexpr std::int64_t kMaxGroupTokens = 1024;

struct SwitchConfig {
  double balance_coefficient = 0.01;
  double z_coefficient = 0;
  double jitter = 0.01;
  int min_capacity = 4;
  double eval_capacity_factor = 2.0;
  std::string drop = "position";
  int router_dim = 0;
};

config::FieldList<SwitchConfig> switch_fields() {
  return {
      config::field(&SwitchConfig::balance_coefficient, "balance_coefficient", "weight of the load-balance loss")
          .range(0, 100)
          .live(),
      z_coefficient_field<SwitchConfig>(),
      config::field(&SwitchConfig::jitter, "jitter",
                    "in training the router's input is multiplied by uniform noise in 1 ± jitter; experts see it clean")
          .range(0, 0.99)
          .live(),
      config::field(&SwitchConfig::min_capacity, "min_capacity", "least slots an expert has per group of tokens")
          .range(1, kMaxGroupTokens)
          .unit("tokens"),
      eval_capacity_factor_field<SwitchConfig>(),
      drop_field<SwitchConfig>(),
      router_dim_field<SwitchConfig>(),
  };
}

/// Truncated normal of deviation √(s/n) with the small scale s = 0.1 that the paper found stable (section 2.4).
ScoreHeadShape head_shape(const RouterContext& context, const SwitchConfig& config) {
  const int fan_in = config.router_dim > 0 ? config.router_dim : context.d_model;
  return {context.d_model, context.num_experts, config.router_dim, /*bias=*/false,
          Init::truncated_normal(std::sqrt(0.1 / fan_in))};
}

/// The fewest groups of at most 1,024 tokens, as equal as whole tokens allow.
std::int64_t group_size(std::int64_t num_tokens) {
  const std::int64_t num_groups = std::max<std::int64_t>(1, (num_tokens + kMaxGroupTokens - 1) / kMaxGroupTokens);
  return (num_tokens + num_groups - 1) / num_groups;
}

class SwitchRouter : public RouterBase<SwitchConfig> {
 public:
  SwitchRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, switch_fields()), head_(head_shape(context, config_), context.prefix, parameters) {
    keep_parameters(context, parameters);
    allow_table();
  }

  Routing route(const RouterInput& input) override {
    const bool training = input.mode == RouteMode::kTrain;
    const at::Tensor seen_TD = training ? jittered(input) : input.hidden_TD;
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(seen_TD));
    const SoftmaxTopk choice = choose(input, scores_TE, 1);
    Routing routing = routing_of(input, scores_TE, choice);
    routing.assignment = served(choice.expert_TK, choice.probs_TE.gather(1, choice.expert_TK), input.mode);
    if (training) {
      const std::int64_t group = group_size(input.hidden_TD.size(0));
      routing.losses.push_back(
          {"balance", switch_balance_loss(choice.probs_TE, choice.expert_TK, group), config_.balance_coefficient});
      if (config_.z_coefficient > 0) routing.losses.push_back({"z", router_z_loss(scores_TE), config_.z_coefficient});
    }
    return routing;
  }

  /// max(min_capacity, min(group, int(group · factor / E))) per group.
  Capacity capacity(std::int64_t num_tokens, RouteMode mode) const override {
    if (mode == RouteMode::kProbe || capacity_factor_ <= 0 || num_tokens == 0) return {};
    const double factor = mode == RouteMode::kTrain ? capacity_factor_ : config_.eval_capacity_factor;
    const std::int64_t group = group_size(num_tokens);
    const auto share =
        static_cast<std::int64_t>(static_cast<double>(group) * factor / static_cast<double>(num_experts_));
    return {std::max<std::int64_t>(config_.min_capacity, std::min(group, share)), group};
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  SparseRouting served(const at::Tensor& expert_TK, const at::Tensor& gate_TK, RouteMode mode) const {
    const Capacity limit = capacity(gate_TK.size(0), mode);
    if (config_.drop == "position" || limit.slots == 0) return token_choice(expert_TK, gate_TK);
    const at::Tensor order_T = order_of_service(gate_TK.squeeze(1), limit.group_tokens);
    return served_in(order_T, token_choice(expert_TK.index_select(0, order_T), gate_TK.index_select(0, order_T)));
  }

  at::Tensor jittered(const RouterInput& input) const {
    if (config_.jitter == 0) return input.hidden_TD;
    const at::Tensor unit_TD = uniform_draw(input, "jitter", input.hidden_TD.sizes());
    return input.hidden_TD * (1 + config_.jitter * (2 * unit_TD - 1));
  }

  ScoreHead head_;
};

Method make_switch_method() {
  config::MethodInfo info;
  info.id = "switch";
  info.title = "Switch";
  info.summary = "each token goes to its best expert, weighted by that expert's probability, within a capacity";
  info.paper = "Fedus et al., JMLR 2022";
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "router and experts learn from the task and the balance loss"}};
  info.router = config::schema_of("moe.router", switch_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}, {"moe.capacity_factor", 1.25}};
  return method_with_router<SwitchRouter>(std::move(info));
}

const RegisterMethod registered{make_switch_method()};

}  // namespace
}  // namespace moescope::moe
