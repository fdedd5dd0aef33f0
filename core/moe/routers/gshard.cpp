// GShard (Lepikhin et al., ICLR 2021): the two best experts by softmax, gates renormalised over the two. In training
// the second is kept at random, with twice its gate as probability, so a second choice that hardly matters costs no
// slot.

#include <ATen/ATen.h>

#include "core/moe/drop_policy.h"
#include "core/moe/top2.h"

namespace moescope::moe {
namespace {

struct GshardConfig {
  double balance_coefficient = 0.01;
  std::string second_policy = "random";
  std::string drop = "position";
  double eval_capacity_factor = 2.0;
  int router_dim = 0;
};

config::FieldList<GshardConfig> gshard_fields() {
  return {
      first_choice_balance_field<GshardConfig>(),
      config::field(&GshardConfig::second_policy, "second_policy",
                    "random: in training the second expert is kept with twice its gate as probability; all: always")
          .choices({"random", "all"})
          .live(),
      drop_field<GshardConfig>(),
      eval_capacity_factor_field<GshardConfig>(),
      router_dim_field<GshardConfig>(),
  };
}

class GshardRouter : public Top2Router<GshardConfig> {
 public:
  GshardRouter(const RouterContext& context, ParameterSet& parameters)
      : Top2Router(context, parameters, gshard_fields()) {}

  Routing route(const RouterInput& input) override {
    TwoBest found = two_best(input);
    const at::Tensor &expert_TK = found.choice.expert_TK, &gate_TK = found.gate_TK;
    const at::Tensor wanted_TK = wanted(input, gate_TK);
    if (config_.drop == "probability" && capacity(gate_TK.size(0), input.mode).slots > 0) {
      const at::Tensor best_T = found.choice.probs_TE.gather(1, expert_TK.narrow(1, 0, 1)).squeeze(1);
      const at::Tensor order_T = order_of_service(best_T, 0);
      const auto ordered = [&](const at::Tensor& rows_TK) { return rows_TK.index_select(0, order_T); };
      found.routing.assignment =
          served_in(order_T, some_choices(ordered(expert_TK), ordered(gate_TK), ordered(wanted_TK)));
    } else {
      found.routing.assignment = some_choices(expert_TK, gate_TK, wanted_TK);
    }
    if (input.mode == RouteMode::kTrain) found.routing.losses.push_back(balance(found.choice));
    return std::move(found.routing);
  }

 private:
  /// First choices always; a second one in training if a uniform draw lies below twice its gate. One that is not wanted
  /// is not in the list: it takes no slot and counts as no load.
  at::Tensor wanted(const RouterInput& input, const at::Tensor& gate_TK) const {
    const at::Tensor all_TK = at::ones_like(gate_TK, gate_TK.options().dtype(at::kBool));
    if (input.mode != RouteMode::kTrain || config_.second_policy == "all" || top_k() < 2) return all_TK;
    const at::Tensor second_T = gate_TK.detach().select(1, 1);
    const at::Tensor kept_T = uniform_draw(input, "second", {gate_TK.size(0)}).lt(2 * second_T);
    return at::stack({all_TK.select(1, 0), kept_T}, 1);
  }
};

Method make_gshard_method() {
  config::MethodInfo info;
  info.id = "gshard";
  info.title = "GShard";
  info.summary = "the two best experts per token, the second kept at random in training, within a capacity";
  info.paper = "Lepikhin et al., ICLR 2021";
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "router and experts learn from the task and the balance loss"}};
  info.router = config::schema_of("moe.router", gshard_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}, {"moe.capacity_factor", 1.0}};
  return method_with_router<GshardRouter>(std::move(info));
}

const RegisterMethod registered{make_gshard_method()};

}  // namespace
}  // namespace moescope::moe
