// SMoE-Dropout (Chen et al., ICLR 2023): a random router that is never trained, and a k that grows from few experts to
// many; at evaluation k is free, and quality rises with it.

#include "core/moe/frozen_topk.h"

namespace moescope::moe {
namespace {

struct SmoeDropoutConfig {
  int top_k = 2;
  int eval_top_k = 0;
  std::string k_schedule = "linear";
  int k_start = 1;
};

config::FieldList<SmoeDropoutConfig> smoe_dropout_fields() {
  return {
      scheduled_top_k_field<SmoeDropoutConfig>(),
      eval_top_k_field<SmoeDropoutConfig>(),
      k_schedule_field<SmoeDropoutConfig>(),
      k_start_field<SmoeDropoutConfig>(),
  };
}

class SmoeDropoutRouter : public FrozenTopkRouter<SmoeDropoutConfig> {
 public:
  SmoeDropoutRouter(const RouterContext& context, ParameterSet& parameters)
      : FrozenTopkRouter(context, parameters, smoe_dropout_fields()) {}
};

Method make_smoe_dropout_method() {
  config::MethodInfo info;
  info.id = "smoe_dropout";
  info.title = "SMoE-Dropout";
  info.summary = "a frozen random router whose number of chosen experts grows during training";
  info.paper = "Chen et al., ICLR 2023";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.traits.router_learns = false;
  info.stages = {{"train", "Train", "experts learn; the router is random and never changes"}};
  info.router = config::schema_of("moe.router", smoe_dropout_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<SmoeDropoutRouter>(std::move(info));
  method.check = check_topk;
  return method;
}

const RegisterMethod registered{make_smoe_dropout_method()};

}  // namespace
}  // namespace moescope::moe
