// SMoE: a trained linear router with bias, softmax over the k selected scores, which sums to 1. No
// capacity, no noise. The optional balance loss is Switch's over all k choices: f_i is the share of (token, choice)
// pairs, so that it measures the load the experts really get; P_i is the mean of the softmax over all experts.

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/moe/balance_loss.h"
#include "core/moe/score_head.h"
#include "core/moe/topk_router.h"

namespace moescope::moe {
namespace {

struct SmoeConfig {
  int top_k = 2;
  int eval_top_k = 0;
  double balance_coefficient = 0;
  int router_dim = 0;
};

config::FieldList<SmoeConfig> smoe_fields() {
  return {
      config::field(&SmoeConfig::top_k, "top_k", "experts each token chooses").range(1, 1024).live(),
      eval_top_k_field<SmoeConfig>(),
      config::field(&SmoeConfig::balance_coefficient, "balance_coefficient",
                    "weight of the load-balance loss; 0 is none")
          .range(0, 100)
          .live(),
      router_dim_field<SmoeConfig>(),
  };
}

class SmoeRouter : public TopkRouter<SmoeConfig> {
 public:
  SmoeRouter(const RouterContext& context, ParameterSet& parameters)
      : TopkRouter(context, smoe_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, /*bias=*/true, Init::normal(0.02)},
              context.prefix, parameters) {
    keep_parameters(context, parameters);
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    SoftmaxTopk choice;
    Routing routing = route_scores(input, scores_TE, choice);
    if (input.mode == RouteMode::kTrain) {
      // Switched off it is still reported, so that a picture shows what it would say, but costs no gradient.
      const c10::AutoGradMode with_gradient(c10::GradMode::is_enabled() && config_.balance_coefficient > 0);
      routing.losses.push_back(
          {"balance", switch_balance_loss(choice.probs_TE, choice.expert_TK), config_.balance_coefficient});
    }
    return routing;
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  ScoreHead head_;
};

Diagnostics check_smoe(const config::RunConfig& config) {
  Diagnostics found = check_topk(config);
  lint_single_choice(config, "the router gets no gradient from the task and never learns",
                     ", or use method = \"switch\", whose softmax comes before the choice", found);
  return found;
}

Method make_smoe_method() {
  config::MethodInfo info;
  info.id = "smoe";
  info.title = "SMoE";
  info.summary = "each token goes to its k best experts, weighted by a softmax over the chosen scores";
  info.paper = "Shazeer et al., ICLR 2017";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "router and experts learn from the task"}};
  info.router = config::schema_of("moe.router", smoe_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<SmoeRouter>(std::move(info));
  method.check = check_smoe;
  return method;
}

const RegisterMethod registered{make_smoe_method()};

}  // namespace
}  // namespace moescope::moe
