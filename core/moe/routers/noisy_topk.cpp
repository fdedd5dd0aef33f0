// Noisy top-k gating (Shazeer et al., ICLR 2017): noise of a learned width is added to the scores in training, the k
// best are kept, and a softmax over them is the gate. Two losses balance: the squared variation of importance (summed
// gates) and of a smooth load (the chance of each expert to be chosen under fresh noise of its own).
//
// The variant "vmoe" (Riquelme et al., NeurIPS 2021, as released) takes noise of the fixed width 1/E, the softmax over
// all experts before the choice, importance from the softmax without noise, and one threshold per token for the load.

#include <ATen/ATen.h>

#include "core/moe/lint.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"

namespace moescope::moe {
namespace {

constexpr double kNoiseFloor = 1e-2;

struct NoisyTopkConfig {
  int top_k = 2;
  double importance_coefficient = 0.01;
  double load_coefficient = 0.01;
  double noise = 1;
  std::string variant = "paper";
};

config::FieldList<NoisyTopkConfig> noisy_topk_fields() {
  return {
      config::field(&NoisyTopkConfig::top_k, "top_k", "experts each token chooses").range(1, 1024).live(),
      config::field(&NoisyTopkConfig::importance_coefficient, "importance_coefficient",
                    "weight of the loss on the variation of summed gates")
          .range(0, 100)
          .live(),
      config::field(&NoisyTopkConfig::load_coefficient, "load_coefficient",
                    "weight of the loss on the variation of the smooth load")
          .range(0, 100)
          .live(),
      config::field(&NoisyTopkConfig::noise, "noise", "factor on the width of the noise; 0 switches it off")
          .range(0, 100)
          .live(),
      config::field(&NoisyTopkConfig::variant, "variant",
                    "paper: learned width, softmax over the chosen; vmoe: width 1/E, softmax before the choice")
          .choices({"paper", "vmoe"}),
  };
}

/// Squared coefficient of variation; the paper's code divides the variance by n − 1, V-MoE's by n. Zero for a single
/// expert.
at::Tensor cv_squared(const at::Tensor& value_E, bool unbiased) {
  if (value_E.numel() < 2) return value_E.sum() * 0;
  return value_E.var(unbiased) / value_E.mean().square();
}

class NoisyTopkRouter : public RouterBase<NoisyTopkConfig> {
 public:
  NoisyTopkRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, noisy_topk_fields()),
        head_({context.d_model, context.num_experts, /*router_dim=*/0, /*bias=*/false, row_init(config_)},
              context.prefix, parameters) {
    if (of_paper()) {
      noise_rows_ED_ = parameters.add(context.prefix + ".noise_rows", {num_experts_, context.d_model}, Init::zeros(),
                                      ParameterRole::kRouter);
    }
    keep_parameters(context, parameters);
    allow_table();
  }

  Routing route(const RouterInput& input) override {
    Noisy scores = scored(input);
    const SoftmaxTopk choice = choose(input, scores.noisy_TE, top_k());
    Routing routing = routing_of(input, scores.noisy_TE, choice);
    const at::Tensor gate_TK = of_paper() ? at::softmax(scores.noisy_TE.gather(1, choice.expert_TK), 1)
                                          : choice.probs_TE.gather(1, choice.expert_TK);
    routing.assignment = token_choice(choice.expert_TK, gate_TK);
    if (input.mode == RouteMode::kTrain) {
      routing.losses.push_back(
          {"importance", importance_loss(scores.clean_TE, choice.expert_TK, gate_TK), config_.importance_coefficient});
      routing.losses.push_back({"load", load_loss(scores), config_.load_coefficient});
    }
    return routing;
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  struct Noisy {
    at::Tensor clean_TE, noisy_TE;  ///< the same tensor without noise
    at::Tensor width_TE;            ///< standard deviation of the noise
  };

  /// Zeros in the paper, so that at the start the noise alone decides; V-MoE starts as any other router.
  static Init row_init(const NoisyTopkConfig& config) {
    return config.variant == "paper" ? Init::zeros() : Init::normal(0.02);
  }
  bool of_paper() const { return config_.variant == "paper"; }

  Noisy scored(const RouterInput& input) const {
    const at::Tensor vectors_TD = head_.vectors_TR(input.hidden_TD);
    Noisy scores;
    scores.clean_TE = scores.noisy_TE = head_.scores_TE(vectors_TD);
    if (input.mode != RouteMode::kTrain || config_.noise == 0) return scores;
    scores.width_TE = of_paper()
                          ? config_.noise * (at::softplus(at::linear(vectors_TD, noise_rows_ED_)) + kNoiseFloor)
                          : at::full_like(scores.clean_TE.detach(), config_.noise / static_cast<double>(num_experts_));
    const at::Tensor draw_TE = normal_draw(input, "noise", scores.clean_TE.sizes()).to(scores.clean_TE.scalar_type());
    scores.noisy_TE = scores.clean_TE + draw_TE * scores.width_TE;
    return scores;
  }

  at::Tensor importance_loss(const at::Tensor& clean_TE, const at::Tensor& expert_TK, const at::Tensor& gate_TK) const {
    if (clean_TE.size(0) == 0) return clean_TE.sum();
    const at::Tensor weight_TE =
        of_paper() ? at::zeros_like(clean_TE.detach()).scatter(1, expert_TK, gate_TK) : at::softmax(clean_TE, 1);
    return cv_squared(weight_TE.sum(0), of_paper());
  }

  /// P_i = Φ((clean_i − threshold_i) / width_i), summed over tokens. The threshold is the k-th largest noisy score of
  /// the others; V-MoE takes the k-th largest of all for every expert, so that a clear winner at k = 1 counts half.
  /// Nothing varies when every expert is chosen, and without noise there is no chance to speak of.
  at::Tensor load_loss(const Noisy& scores) const {
    const std::int64_t k = top_k();
    const at::Tensor& noisy_TE = scores.noisy_TE;
    if (noisy_TE.size(0) == 0 || k >= num_experts_ || !scores.width_TE.defined()) return noisy_TE.sum() * 0;
    const at::Tensor order_TE = std::get<1>(noisy_TE.detach().sort(/*stable=*/true, 1, /*descending=*/true));
    at::Tensor threshold_TE = noisy_TE.gather(1, order_TE.narrow(1, k - 1, 1));
    if (of_paper()) {
      const at::Tensor inside_TE =
          at::zeros_like(order_TE, order_TE.options().dtype(at::kBool)).scatter(1, order_TE.narrow(1, 0, k), true);
      threshold_TE = at::where(inside_TE, noisy_TE.gather(1, order_TE.narrow(1, k, 1)), threshold_TE);
    }
    const at::Tensor chance_TE = at::special_ndtr((scores.clean_TE - threshold_TE) / scores.width_TE);
    return cv_squared(chance_TE.sum(0), of_paper());
  }

  ScoreHead head_;
  at::Tensor noise_rows_ED_;  ///< undefined in the variant of fixed width
};

Diagnostics check_noisy_topk(const config::RunConfig& config) {
  const bool paper = std::get<std::string>(config.router.at("variant")) == "paper";
  Diagnostics found;
  if (paper && std::get<std::int64_t>(config.router.at("top_k")) == 1) {
    found.push_back(
        lint_at(config, "moe.router.top_k",
                "'top_k' is 1 and the softmax comes after the choice: a softmax over one score is always 1, "
                "so the router learns from the load loss alone",
                "set top_k to 2 or more, or variant = \"vmoe\", whose softmax comes before the choice"));
  }
  if (std::get<double>(config.router.at("noise")) == 0) {
    found.push_back(lint_at(config, "moe.router.noise",
                            std::string("'noise' is 0: the load loss needs noise and is 0 without it") +
                                (paper ? ", and rows that start at zero send every token to the first experts" : ""),
                            "1 is the method's own width"));
  }
  return found;
}

Method make_noisy_topk_method() {
  config::MethodInfo info;
  info.id = "noisy_topk";
  info.title = "Noisy top-k";
  info.summary = "noise on the scores, and two losses that spread importance and load";
  info.paper = "Shazeer et al., ICLR 2017";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"train", "Train", "router, noise and experts learn from the task and two balance losses"}};
  info.router = config::schema_of("moe.router", noisy_topk_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<NoisyTopkRouter>(std::move(info));
  method.check = check_noisy_topk;
  return method;
}

const RegisterMethod registered{make_noisy_topk_method()};

}  // namespace
}  // namespace moescope::moe
