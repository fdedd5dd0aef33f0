// The control without any choice: every token goes to every expert, each with gate 1/E.

#include <ATen/ATen.h>

#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

struct UniformConfig {};

class UniformRouter : public RouterBase<UniformConfig> {
 public:
  UniformRouter(const RouterContext& context, ParameterSet&) : RouterBase(context, {}) {}

  Routing route(const RouterInput& input) override {
    const std::int64_t T = input.hidden_TD.size(0), E = num_experts_;
    const at::Tensor expert_TK = at::arange(E, input.hidden_TD.options().dtype(at::kLong)).repeat({T, 1});
    Routing routing;
    routing.assignment =
        token_choice(expert_TK, at::full({T, E}, 1.0 / static_cast<double>(E), input.hidden_TD.options()));
    return routing;
  }
  int top_k() const override { return static_cast<int>(num_experts_); }
};

Method make_uniform_method() {
  config::MethodInfo info;
  info.id = "uniform";
  info.title = "Uniform";
  info.summary = "every token goes to every expert with the same weight: a control for choosing at all";
  info.paper = "control";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.router_learns = false;
  info.traits.balanced = true;
  info.stages = {{"train", "Train", "experts learn, all of them from every token"}};
  info.router = config::schema_of("moe.router", config::FieldList<UniformConfig>{});
  info.defaults = {{"moe.placement", std::string("ffn")}};
  return method_with_router<UniformRouter>(std::move(info));
}

const RegisterMethod registered{make_uniform_method()};

}  // namespace
}  // namespace moescope::moe
