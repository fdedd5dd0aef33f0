// The control between drawing and learning: a linear router left at its random start, k fixed.

#include "core/moe/frozen_topk.h"

namespace moescope::moe {
namespace {

struct FrozenRandomConfig {
  int top_k = 2;
  int eval_top_k = 0;
};

config::FieldList<FrozenRandomConfig> frozen_random_fields() {
  return {
      config::field(&FrozenRandomConfig::top_k, "top_k", "experts each token chooses").range(1, 1024).live(),
      eval_top_k_field<FrozenRandomConfig>(),
  };
}

class FrozenRandomRouter : public FrozenTopkRouter<FrozenRandomConfig> {
 public:
  FrozenRandomRouter(const RouterContext& context, ParameterSet& parameters)
      : FrozenTopkRouter(context, parameters, frozen_random_fields()) {}
};

Method make_frozen_random_method() {
  config::MethodInfo info;
  info.id = "frozen_random";
  info.title = "Frozen random";
  info.summary = "a random linear router that is never trained, k fixed: a control for learned routers";
  info.paper = "control";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.traits.router_learns = false;
  info.stages = {{"train", "Train", "experts learn; the router is random and never changes"}};
  info.router = config::schema_of("moe.router", frozen_random_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<FrozenRandomRouter>(std::move(info));
  method.check = check_topk;
  return method;
}

const RegisterMethod registered{make_frozen_random_method()};

}  // namespace
}  // namespace moescope::moe
