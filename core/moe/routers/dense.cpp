// No routing: every token goes to one expert with gate 1. The control every routed model is held
// against, at equal compute ("flops") or equal parameters ("wide").

#include <ATen/ATen.h>

#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

struct DenseConfig {
  std::string size = "flops";
};

config::FieldList<DenseConfig> dense_fields() {
  return {config::field(&DenseConfig::size, "size",
                        "flops: as wide as one expert, so equal compute; wide: as wide as all experts together")
              .choices({"flops", "wide"})};
}

class DenseRouter : public RouterBase<DenseConfig> {
 public:
  DenseRouter(const RouterContext& context, ParameterSet&) : RouterBase(context, dense_fields()) {}

  Routing route(const RouterInput& input) override {
    const at::Tensor& hidden_TD = input.hidden_TD;
    const at::Tensor expert_TK = at::zeros({hidden_TD.size(0), 1}, hidden_TD.options().dtype(at::kLong));
    Routing routing;
    routing.assignment = token_choice(expert_TK, at::ones({hidden_TD.size(0), 1}, hidden_TD.options()));
    return routing;
  }
};

void shape_dense(const config::RunConfig& config, ExpertShape& shape) {
  const auto size = config.router.find("size");
  const bool wide = size != config.router.end() && std::get<std::string>(size->second) == "wide";
  if (wide) shape.hidden *= shape.num_experts;
  shape.num_experts = 1;
}

Method make_dense_method() {
  config::MethodInfo info;
  info.id = "dense";
  info.title = "Dense";
  info.summary = "no routing: one feed-forward block for every token, the control for all others";
  info.paper = "Vaswani et al., NeurIPS 2017";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.router_learns = false;
  info.stages = {{"train", "Train", "the block learns from the task loss"}};
  info.router = config::schema_of("moe.router", dense_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<DenseRouter>(std::move(info));
  method.shape_experts = shape_dense;
  return method;
}

const RegisterMethod registered{make_dense_method()};

}  // namespace
}  // namespace moescope::moe
