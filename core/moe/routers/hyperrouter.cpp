// HyperRouter (Do et al., EMNLP 2023): a fixed random hypernetwork turns a trained embedding into the router's weights,
// so the router moves although nobody trains its weights. Row i of the network's output, as [E, D + 1], holds the
// weights of expert i and, in the last column, its bias. Then as SMoE: softmax over the k chosen scores.

#include <ATen/ATen.h>

#include "core/moe/topk_router.h"

namespace moescope::moe {
namespace {

struct HyperRouterConfig {
  int top_k = 2;
  int eval_top_k = 0;
  std::string k_schedule = "fixed";
  int k_start = 1;
  int hyper_dim = 64;
};

config::FieldList<HyperRouterConfig> hyperrouter_fields() {
  return {
      scheduled_top_k_field<HyperRouterConfig>(),
      eval_top_k_field<HyperRouterConfig>(),
      k_schedule_field<HyperRouterConfig>(),
      k_start_field<HyperRouterConfig>(),
      config::field(&HyperRouterConfig::hyper_dim, "hyper_dim", "inner width of the fixed hypernetwork").range(1, 4096),
  };
}

class HyperRouter : public TopkRouter<HyperRouterConfig> {
 public:
  HyperRouter(const RouterContext& context, ParameterSet& parameters) : TopkRouter(context, hyperrouter_fields()) {
    const std::int64_t D = context.d_model, H = config_.hyper_dim, outputs = num_experts_ * (D + 1);
    embedding_D_ =
        parameters.add(context.prefix + ".embedding", {D}, Init::normal(1), ParameterRole::kRouter, -1, false,
                       /*decayed=*/false);
    const auto fixed = [&](const char* part, const std::vector<std::int64_t>& shape, Init init) {
      return parameters.add(context.prefix + ".hyper." + part, shape, init, ParameterRole::kRouter, -1, /*fixed=*/true,
                            /*decayed=*/false);
    };
    w1_HD_ = fixed("w1", {H, D}, Init::normal(0.02));
    b1_H_ = fixed("b1", {H}, Init::zeros());
    w2_ = fixed("w2", {outputs, H}, Init::normal(0.02));
    b2_ = fixed("b2", {outputs}, Init::zeros());
    keep_parameters(context, parameters);
  }

  Routing route(const RouterInput& input) override {
    const Generated made = generate();
    SoftmaxTopk choice;
    return route_scores(input, at::linear(input.hidden_TD, made.rows_ED, made.bias_E), choice);
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override {
    return RouterSpaceTensors{hidden_TD.detach(), generate().rows_ED.detach()};
  }
  int space_dim() const override { return static_cast<int>(embedding_D_.size(0)); }

 private:
  struct Generated {
    at::Tensor rows_ED, bias_E;
  };

  /// Anew at every forward: a computed tensor, never a parameter.
  Generated generate() const {
    const at::Tensor inner_H = at::relu(at::linear(embedding_D_, w1_HD_, b1_H_));
    const std::int64_t D = embedding_D_.size(0);
    const at::Tensor made_ED1 = at::linear(inner_H, w2_, b2_).view({num_experts_, D + 1});
    return {made_ED1.narrow(1, 0, D), made_ED1.select(1, D)};
  }

  at::Tensor embedding_D_, w1_HD_, b1_H_, w2_, b2_;
};

Diagnostics check_hyperrouter(const config::RunConfig& config) {
  Diagnostics found = check_topk(config);
  lint_single_choice(config, "the embedding gets no gradient and the router does not learn", "", found);
  return found;
}

Method make_hyperrouter_method() {
  config::MethodInfo info;
  info.id = "hyperrouter";
  info.title = "HyperRouter";
  info.summary = "a fixed hypernetwork makes the router's weights from a small trained embedding";
  info.paper = "Do et al., EMNLP 2023";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "embedding and experts learn from the task; the hypernetwork never changes"}};
  info.router = config::schema_of("moe.router", hyperrouter_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<HyperRouter>(std::move(info));
  method.check = check_hyperrouter;
  return method;
}

const RegisterMethod registered{make_hyperrouter_method()};

}  // namespace
}  // namespace moescope::moe
