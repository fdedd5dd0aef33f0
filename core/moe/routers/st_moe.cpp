// ST-MoE (Zoph et al. 2022): top-2 with renormalised gates, the balance loss, and a z-loss that keeps scores small, so
// that the softmax stays exact at low precision. Every second choice is kept.

#include <ATen/ATen.h>

#include "core/moe/top2.h"

namespace moescope::moe {
namespace {

struct StMoeConfig {
  double balance_coefficient = 0.01;
  double z_coefficient = 0.001;
  double eval_capacity_factor = 2.0;
  int router_dim = 0;
};

config::FieldList<StMoeConfig> st_moe_fields() {
  return {
      first_choice_balance_field<StMoeConfig>(),
      z_coefficient_field<StMoeConfig>(),
      eval_capacity_factor_field<StMoeConfig>(),
      router_dim_field<StMoeConfig>(),
  };
}

class StMoeRouter : public Top2Router<StMoeConfig> {
 public:
  StMoeRouter(const RouterContext& context, ParameterSet& parameters)
      : Top2Router(context, parameters, st_moe_fields()) {}

  Routing route(const RouterInput& input) override {
    TwoBest found = two_best(input);
    found.routing.assignment = token_choice(found.choice.expert_TK, found.gate_TK);
    if (input.mode == RouteMode::kTrain) {
      found.routing.losses.push_back(balance(found.choice));
      found.routing.losses.push_back({"z", router_z_loss(found.routing.scores_TE), config_.z_coefficient});
    }
    return std::move(found.routing);
  }
};

Method make_st_moe_method() {
  config::MethodInfo info;
  info.id = "st_moe";
  info.title = "ST-MoE";
  info.summary = "top-2 routing made stable by a loss on the size of the scores";
  info.paper = "Zoph et al., 2022";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "router and experts learn from the task, the balance loss and the z-loss"}};
  info.router = config::schema_of("moe.router", st_moe_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}, {"moe.capacity_factor", 1.25}};
  return method_with_router<StMoeRouter>(std::move(info));
}

const RegisterMethod registered{make_st_moe_method()};

}  // namespace
}  // namespace moescope::moe
