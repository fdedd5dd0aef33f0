// Loss-free balancing (Wang et al. 2024; DeepSeek-V3): a bias per expert enters the choice and never the gate. After
// each step it moves a little, up for experts with too little load and down for those with too much: no loss, no
// gradient. Options of DeepSeek-V3: experts in groups of which a token may use a few, a shared expert that every token
// passes (ExpertShape::shared: the router does not know of it, and no load counts it), and a small balance loss within
// each sequence.

#include <ATen/ATen.h>

#include <limits>

#include "core/moe/lint.h"
#include "core/moe/moe_layer.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"

namespace moescope::moe {
namespace {

struct LossFreeConfig {
  int top_k = 2;
  double bias_rate = 0.001;
  std::string bias_rule = "sign";
  bool normalised = true;
  double route_scale = 1;
  int groups = 1;
  int groups_kept = 1;
  bool shared_expert = false;
  double sequence_balance_coefficient = 0;
  int router_dim = 0;
};

config::FieldList<LossFreeConfig> loss_free_fields() {
  return {
      config::field(&LossFreeConfig::top_k, "top_k", "experts each token chooses").range(1, 1024).live(),
      config::field(&LossFreeConfig::bias_rate, "bias_rate", "how far the biases move after each step; 0 holds them")
          .range(0, 10)
          .live()
          .logarithmic(),
      config::field(&LossFreeConfig::bias_rule, "bias_rule",
                    "sign: all biases move alike; proportional: by how far a load is off its share, over that share")
          .choices({"sign", "proportional"})
          .live(),
      config::field(&LossFreeConfig::normalised, "normalised",
                    "divide the chosen gates by their sum, as in DeepSeek-V3; without, as in the paper on the bias")
          .live(),
      config::field(&LossFreeConfig::route_scale, "route_scale", "factor on the gates").above(0).range(0, 100),
      config::field(&LossFreeConfig::groups, "groups", "groups of experts; a token uses experts of groups_kept of them")
          .range(1, 256),
      config::field(&LossFreeConfig::groups_kept, "groups_kept", "groups a token may use").range(1, 256),
      config::field(&LossFreeConfig::shared_expert, "shared_expert",
                    "one more expert that every token passes, ungated"),
      config::field(&LossFreeConfig::sequence_balance_coefficient, "sequence_balance_coefficient",
                    "weight of a balance loss within each sequence; 0 is none")
          .range(0, 100)
          .live(),
      router_dim_field<LossFreeConfig>(),
  };
}

class LossFreeRouter : public RouterBase<LossFreeConfig> {
 public:
  LossFreeRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, loss_free_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, /*bias=*/false, Init::normal(0.02)},
              context.prefix, parameters),
        bias_E_(at::zeros({num_experts_}, at::kFloat)) {
    keep_parameters(context, parameters);
    keep_state("balance_bias", bias_E_);
    allow_table();
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    const at::Tensor open_TE = at::sigmoid(scores_TE);
    SoftmaxTopk choice = softmax_topk(scores_TE, top_k());
    choice.expert_TK = pinned_choice(input, top_k());
    if (!choice.expert_TK.defined()) choice.expert_TK = biased_choice(open_TE.detach());
    Routing routing = routing_of(input, scores_TE, choice);
    at::Tensor gate_TK = open_TE.gather(1, choice.expert_TK);
    if (config_.normalised) gate_TK = gate_TK / gate_TK.sum(1, /*keepdim=*/true);
    routing.assignment = token_choice(choice.expert_TK, config_.route_scale * gate_TK);
    if (input.mode == RouteMode::kTrain && config_.sequence_balance_coefficient > 0) {
      routing.losses.push_back({"sequence_balance", sequence_balance(input, open_TE, choice.expert_TK),
                                config_.sequence_balance_coefficient});
    }
    return routing;
  }

  /// The load of the step just done, so the current batch is never balanced by itself.
  void after_step(const std::vector<LayerRecord>& layers, std::size_t own) override {
    if (controls_.frozen || controls_.pinned || own >= layers.size()) return;
    const at::Tensor load_E = layers[own].load_E.to(bias_E_.device(), bias_E_.scalar_type());
    const at::Tensor lacking_E = load_E.mean() - load_E;
    const bool sign = config_.bias_rule == "sign";
    bias_E_.add_(sign ? lacking_E.sign() : lacking_E / load_E.mean().clamp_min(1), config_.bias_rate);
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  /// The k best of σ(s) + b; experts of groups not kept are out of the question, whatever the sign of their scores.
  at::Tensor biased_choice(const at::Tensor& open_TE) const {
    at::Tensor biased_TE = open_TE + bias_E_.to(open_TE.options());
    const std::int64_t T = open_TE.size(0), groups = config_.groups;
    if (groups > 1 && T > 0) {
      const std::int64_t size = num_experts_ / groups;
      const std::int64_t best = std::min<std::int64_t>(size, std::max(1, top_k() / config_.groups_kept));
      const at::Tensor grouped_TGS = biased_TE.view({T, groups, size});
      const at::Tensor worth_TG = std::get<0>(grouped_TGS.topk(best, 2)).sum(2);
      const at::Tensor kept_TG =
          std::get<1>(worth_TG.sort(/*stable=*/true, 1, /*descending=*/true)).narrow(1, 0, config_.groups_kept);
      const at::Tensor allowed_TG =
          at::zeros_like(worth_TG, worth_TG.options().dtype(at::kBool)).scatter(1, kept_TG, true);
      biased_TE =
          grouped_TGS.masked_fill(allowed_TG.logical_not().unsqueeze(2), -std::numeric_limits<double>::infinity())
              .view({T, num_experts_});
    }
    return std::get<1>(biased_TE.sort(/*stable=*/true, 1, /*descending=*/true)).narrow(1, 0, top_k()).contiguous();
  }

  /// Mean over sequences of Σ_i f_i P_i, f_i = E/(k·n)·count (constant), P_i the mean share of σ(s_i).
  at::Tensor sequence_balance(const RouterInput& input, const at::Tensor& open_TE, const at::Tensor& expert_TK) const {
    if (open_TE.size(0) == 0) return open_TE.sum();
    const std::int64_t B = input.token_id_BL.size(0), L = std::max<std::int64_t>(1, input.token_id_BL.size(1));
    const at::Tensor sequence_T = at::floor_divide(cells_T(input), L);
    const at::Tensor share_TE = open_TE / open_TE.sum(1, /*keepdim=*/true);
    const at::Tensor chosen_TE = at::zeros_like(open_TE.detach()).scatter(1, expert_TK, 1);
    const at::Tensor nothing_BE = at::zeros({B, num_experts_}, open_TE.options());
    const at::Tensor count_BE = nothing_BE.index_add(0, sequence_T, chosen_TE);
    const at::Tensor sum_BE = nothing_BE.index_add(0, sequence_T, share_TE);
    const at::Tensor tokens_B1 = count_BE.sum(1, /*keepdim=*/true) / static_cast<double>(top_k());
    const at::Tensor used_B = tokens_B1.squeeze(1).gt(0);
    const at::Tensor each_B = (count_BE * sum_BE).sum(1) * static_cast<double>(num_experts_) /
                              (static_cast<double>(top_k()) * tokens_B1.squeeze(1).clamp_min(1).square());
    return each_B.sum() / used_B.sum().clamp_min(1);
  }

  ScoreHead head_;
  at::Tensor bias_E_;
};

Diagnostics check_loss_free(const config::RunConfig& config) {
  const auto whole = [&](const char* key) { return std::get<std::int64_t>(config.router.at(key)); };
  const std::int64_t experts = config.moe.num_experts, groups = whole("groups"), kept = whole("groups_kept");
  Diagnostics found;
  if (experts % groups != 0) {
    found.push_back(config::error_at(
        config, "moe.router.groups",
        "'groups' is " + std::to_string(groups) + ", which does not divide the " + std::to_string(experts) + " experts",
        "'num_experts' is in [moe]"));
  } else if (kept > groups) {
    found.push_back(config::error_at(config, "moe.router.groups_kept",
                                     "'groups_kept' is " + std::to_string(kept) + ", but there are " +
                                         std::to_string(groups) + (groups == 1 ? " group" : " groups")));
  } else if (groups > 1 && kept * (experts / groups) < whole("top_k")) {
    found.push_back(config::error_at(config, "moe.router.top_k",
                                     "'top_k' is " + std::to_string(whole("top_k")) + ", but the groups kept hold " +
                                         std::to_string(kept * (experts / groups)) + " experts"));
  }
  if (whole("top_k") == 1 && std::get<bool>(config.router.at("normalised"))) {
    found.push_back(
        lint_at(config, "moe.router.top_k",
                "'top_k' is 1 and the gate is normalised: a gate over itself is always 1, so the router gets "
                "no gradient from the task and never learns",
                "set normalised = false, or top_k to 2 or more"));
  }
  if (std::get<double>(config.router.at("bias_rate")) == 0) {
    found.push_back(lint_at(config, "moe.router.bias_rate",
                            "'bias_rate' is 0: nothing spreads the load, so the router may "
                            "collapse onto a few experts",
                            "the method's own value is 0.001"));
  }
  return found;
}

Method make_loss_free_method() {
  config::MethodInfo info;
  info.id = "loss_free";
  info.title = "Loss-free balancing";
  info.summary = "a bias in the choice, moved by a rule after each step, balances without a loss";
  info.paper = "Wang et al., 2024";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "router and experts learn from the task; biases follow the load"}};
  info.router = config::schema_of("moe.router", loss_free_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<LossFreeRouter>(std::move(info));
  method.check = check_loss_free;
  method.shape_experts = [](const config::RunConfig& config, ExpertShape& shape) {
    const auto shared = config.router.find("shared_expert");
    shape.shared = shared != config.router.end() && std::get<bool>(shared->second);
  };
  return method;
}

const RegisterMethod registered{make_loss_free_method()};

}  // namespace
}  // namespace moescope::moe
