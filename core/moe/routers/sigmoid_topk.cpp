// Sigmoid gating (as in DeepSeek-V3, without its bias): each score becomes a gate of its own, σ(s), so that experts do
// not compete for one unit of probability; the k largest are chosen, and by default share 1 among them.

#include <ATen/ATen.h>

#include "core/moe/balance_loss.h"
#include "core/moe/lint.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"

namespace moescope::moe {
namespace {

struct SigmoidTopkConfig {
  int top_k = 2;
  bool normalised = true;
  double balance_coefficient = 0;
  int router_dim = 0;
};

config::FieldList<SigmoidTopkConfig> sigmoid_topk_fields() {
  return {
      config::field(&SigmoidTopkConfig::top_k, "top_k", "experts each token chooses").range(1, 1024).live(),
      config::field(&SigmoidTopkConfig::normalised, "normalised", "divide the chosen gates by their sum").live(),
      config::field(&SigmoidTopkConfig::balance_coefficient, "balance_coefficient",
                    "weight of the load-balance loss; 0 is none")
          .range(0, 100)
          .live(),
      router_dim_field<SigmoidTopkConfig>(),
  };
}

class SigmoidTopkRouter : public RouterBase<SigmoidTopkConfig> {
 public:
  SigmoidTopkRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, sigmoid_topk_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, /*bias=*/false, Init::normal(0.02)},
              context.prefix, parameters) {
    keep_parameters(context, parameters);
    allow_table();
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    const SoftmaxTopk choice = choose(input, scores_TE, top_k());
    Routing routing = routing_of(input, scores_TE, choice);
    at::Tensor gate_TK = at::sigmoid(scores_TE.gather(1, choice.expert_TK));
    if (config_.normalised) gate_TK = gate_TK / gate_TK.sum(1, /*keepdim=*/true);
    routing.assignment = token_choice(choice.expert_TK, gate_TK);
    if (input.mode == RouteMode::kTrain && config_.balance_coefficient > 0) {
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

Diagnostics check_sigmoid_topk(const config::RunConfig& config) {
  if (std::get<std::int64_t>(config.router.at("top_k")) != 1 || !std::get<bool>(config.router.at("normalised")))
    return {};
  return {lint_at(config, "moe.router.top_k",
                  "'top_k' is 1 and the gate is normalised: a gate over itself is always 1, so the router gets no "
                  "gradient from the task and never learns",
                  "set normalised = false, or top_k to 2 or more")};
}

Method make_sigmoid_topk_method() {
  config::MethodInfo info;
  info.id = "sigmoid_topk";
  info.title = "Sigmoid top-k";
  info.summary = "the k largest sigmoids, sharing 1 among them";
  info.paper = "DeepSeek-AI, 2024";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "router and experts learn from the task"}};
  info.router = config::schema_of("moe.router", sigmoid_topk_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<SigmoidTopkRouter>(std::move(info));
  method.check = check_sigmoid_topk;
  return method;
}

const RegisterMethod registered{make_sigmoid_topk_method()};

}  // namespace
}  // namespace moescope::moe
