// ReMoE (Wang et al., ICLR 2025): the gate is relu(h·W), so every token has as many experts as scores above zero, and
// routing is differentiable wherever it is active. An L1 loss, weighted by loads, thins the gates out; its coefficient
// λ follows the share of zeros, a step up or down after each training step. A run goes through three phases by itself:
// dense (about half of all gates), sparsifying, and stable around the wanted number of experts. They are one stage
// here: λ alone makes them, and nothing else changes where one ends.

#include <ATen/ATen.h>

#include <cmath>

#include "core/moe/moe_layer.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"

namespace moescope::moe {
namespace {

/// λ can come back from these within some hundred steps, which it could not from 0 or infinity.
constexpr double kLeastLambda = 1e-30, kMostLambda = 1e6;

struct RemoeConfig {
  int target_top_k = 2;
  double lambda_start = 1e-8;
  double lambda_factor = 1.2;
  bool balanced = true;
  int router_dim = 0;
};

config::FieldList<RemoeConfig> remoe_fields() {
  return {
      config::field(&RemoeConfig::target_top_k, "target_top_k", "experts per token that the sparsity aims at")
          .range(1, 1024)
          .live(),
      config::field(&RemoeConfig::lambda_start, "lambda_start",
                    "first weight of the sparsity loss; 1e-4 shortens the dense phase of short runs")
          .above(0)
          .range(0, 100)
          .logarithmic(),
      config::field(&RemoeConfig::lambda_factor, "lambda_factor",
                    "factor by which that weight goes up or down each step")
          .range(1, 10)
          .live(),
      config::field(&RemoeConfig::balanced, "balanced", "weigh the loss by each expert's load, which balances as well"),
      router_dim_field<RemoeConfig>(),
  };
}

class RemoeRouter : public RouterBase<RemoeConfig> {
 public:
  RemoeRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, remoe_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, /*bias=*/false, Init::normal(0.02)},
              context.prefix, parameters),
        lambda_(at::full({1}, config_.lambda_start, at::kDouble)) {
    keep_parameters(context, parameters);
    keep_state("lambda", lambda_);
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    Routing routing = routing_of(input, scores_TE, softmax_topk(scores_TE, 1));
    const at::Tensor gate_TE = at::relu(scores_TE);
    const at::Tensor pair_N2 = gate_TE.detach().gt(0).nonzero();
    SparseRouting list;
    list.token_N = pair_N2.select(1, 0).contiguous();
    list.expert_N = pair_N2.select(1, 1).contiguous();
    list.gate_N = gate_TE.reshape({-1}).index_select(0, list.token_N * num_experts_ + list.expert_N);
    list.choices_per_token = 0;
    routing.assignment = std::move(list);
    if (input.mode == RouteMode::kTrain) {
      routing.losses.push_back({"sparsity", sparsity_loss(gate_TE), lambda_.item<double>()});
    }
    return routing;
  }

  /// λ grows while too few gates are zero, over all layers of the step.
  void after_step(const std::vector<LayerRecord>& layers, std::size_t /*own*/) override {
    if (controls_.frozen || layers.empty()) return;
    double zeros = 0;
    for (const LayerRecord& layer : layers) {
      const auto all = static_cast<double>(layer.token_id_T.numel() * num_experts_);
      zeros += all == 0 ? 0 : 1 - static_cast<double>(layer.routing.sparse()->expert_N.numel()) / all;
    }
    const double wanted = 1 - static_cast<double>(config_.target_top_k) / static_cast<double>(num_experts_);
    const bool too_dense = zeros / static_cast<double>(layers.size()) < wanted;
    lambda_.mul_(too_dense ? config_.lambda_factor : 1 / config_.lambda_factor).clamp_(kLeastLambda, kMostLambda);
  }

  int top_k() const override { return config_.target_top_k; }
  /// Before training has made them few, all experts may have a part.
  double most_experts_per_token(std::int64_t /*context*/) const override { return static_cast<double>(num_experts_); }
  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  /// mean_t Σ_e f_e R_{t,e}, f_e the expert's load over its fair share, constant. Summed over layers by the objective,
  /// as the released code does; the paper's formula divides by their number, which λ makes up for.
  at::Tensor sparsity_loss(const at::Tensor& gate_TE) const {
    const std::int64_t T = gate_TE.size(0);
    if (T == 0) return gate_TE.sum();
    if (!config_.balanced) return gate_TE.sum() / static_cast<double>(T);
    const double fair = static_cast<double>(config_.target_top_k * T) / static_cast<double>(num_experts_);
    const at::Tensor load_E = gate_TE.detach().gt(0).sum(0).to(gate_TE.scalar_type()) / fair;
    return (gate_TE * load_E).sum() / static_cast<double>(T);
  }

  std::string refuse(const RemoeConfig& wanted) const override { return too_many("target_top_k", wanted.target_top_k); }

  ScoreHead head_;
  at::Tensor lambda_;  ///< fp64, [1]
};

Diagnostics check_remoe(const config::RunConfig& config) {
  const std::int64_t target = std::get<std::int64_t>(config.router.at("target_top_k"));
  if (target <= config.moe.num_experts) return {};
  return {config::error_at(config, "moe.router.target_top_k",
                           "'target_top_k' is " + std::to_string(target) + ", but a layer has " +
                               std::to_string(config.moe.num_experts) + " experts",
                           "'num_experts' is in [moe]")};
}

Method make_remoe_method() {
  config::MethodInfo info;
  info.id = "remoe";
  info.title = "ReMoE";
  info.summary = "the gate is a ReLU, so each token has as many experts as it needs, and a loss keeps them few";
  info.paper = "Wang et al., ICLR 2025";
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.stages = {
      {"train", "Train", "dense at first; the sparsity loss thins the gates out until their number is stable"}};
  info.router = config::schema_of("moe.router", remoe_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<RemoeRouter>(std::move(info));
  method.check = check_remoe;
  return method;
}

const RegisterMethod registered{make_remoe_method()};

}  // namespace
}  // namespace moescope::moe
