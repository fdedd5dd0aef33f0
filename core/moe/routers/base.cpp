// BASE layers (Lewis et al., ICML 2021): in training every expert gets an equal share of the batch, by the assignment
// of the largest summed score; at evaluation every token goes to its best expert. No balance loss is needed; the gate
// σ(s) is what the router learns by. The assignment looks at the whole batch, so training is not causal.

#include <ATen/ATen.h>

#include <vector>

#include "core/moe/balanced_assignment.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"

namespace moescope::moe {
namespace {

struct BaseConfig {
  int router_dim = 0;
};

config::FieldList<BaseConfig> base_fields() { return {router_dim_field<BaseConfig>()}; }

class BaseRouter : public RouterBase<BaseConfig> {
 public:
  BaseRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, base_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, /*bias=*/false, Init::orthogonal(0.1)},
              context.prefix, parameters) {
    keep_parameters(context, parameters);
    allow_table();
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    SoftmaxTopk choice = choose(input, scores_TE, 1);
    if (input.mode != RouteMode::kEvaluate && !controls_.pinned) choice.expert_TK = balanced(scores_TE);
    Routing routing = routing_of(input, scores_TE, choice);
    routing.assignment = token_choice(choice.expert_TK, at::sigmoid(scores_TE.gather(1, choice.expert_TK)));
    return routing;
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  static at::Tensor balanced(const at::Tensor& scores_TE) {
    const at::Tensor exact_TE = scores_TE.detach().to(at::kCPU, at::kDouble).contiguous();
    const std::vector<std::int32_t> expert_T =
        balanced_assignment({exact_TE.const_data_ptr<double>(), static_cast<std::size_t>(exact_TE.numel())},
                            static_cast<int>(exact_TE.size(1)));
    const at::Tensor expert_TK = at::empty({exact_TE.size(0), 1}, at::kLong);
    std::copy(expert_T.begin(), expert_T.end(), expert_TK.mutable_data_ptr<std::int64_t>());
    return expert_TK.to(scores_TE.device());
  }

  ScoreHead head_;
};

Method make_base_method() {
  config::MethodInfo info;
  info.id = "base";
  info.title = "BASE";
  info.summary = "every expert gets an equal share of the batch, by the assignment with the largest summed score";
  info.paper = "Lewis et al., ICML 2021";
  info.traits.causal = false;
  info.traits.mixes_sequences = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.traits.balanced = true;
  info.stages = {{"train", "Train", "tokens are assigned in equal shares; the gate teaches the router"}};
  info.router = config::schema_of("moe.router", base_fields());
  info.defaults = {{"moe.placement", std::string("inserted")}};
  return method_with_router<BaseRouter>(std::move(info));
}

const RegisterMethod registered{make_base_method()};

}  // namespace
}  // namespace moescope::moe
