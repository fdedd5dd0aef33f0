// Mixture of Tokens (Antoniak et al., NeurIPS 2024): at each position, g sequences of the batch form a group; every
// expert gets one mixture of the group's tokens and gives its output back with the same weights. The softmax runs over
// the tokens of the group, separately for each expert. Nothing looks ahead, but sequences of a batch see each other.
// Stages: mixed; sharpened, the temperature falling; private, where each expert takes the one token that weighs most.
// The released code has neither stage nor entropy loss; its authors suggest both. Its learnable temperature returns the
// fixed one and per-expert temperatures fall on the group's axis there; here τ_e = exp θ_e.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/moe/groups.h"
#include "core/moe/lint.h"
#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

constexpr int kMix = 0;
constexpr int kSharpen = 1;
constexpr int kPrivate = 2;
constexpr std::int64_t kNotYet = -1;

struct MotConfig {
  int group_size = 8;
  double temperature = 1;
  bool learn_temperature = false;
  bool temperature_per_expert = false;
  bool discrete_evaluation = false;
  double sharpen_temperature = 0.1;
  double entropy_coefficient = 0;
};

struct MotStages {
  std::int64_t mix_steps = 0;
  std::int64_t sharpen_steps = 100;
};

config::FieldList<MotConfig> mot_fields() {
  return {
      config::field(&MotConfig::group_size, "group_size", "sequences whose tokens are mixed at each position")
          .range(1, 4096)
          .unit("sequences")
          .live(),
      config::field(&MotConfig::temperature, "temperature",
                    "of the mixing softmax, or where a learned one starts; low is sharp")
          .above(0)
          .range(0, 1000)
          .live()
          .logarithmic(),
      config::field(&MotConfig::learn_temperature, "learn_temperature", "learn the temperature"),
      config::field(&MotConfig::temperature_per_expert, "temperature_per_expert",
                    "a learned temperature is one for each expert instead of one for all"),
      config::field(&MotConfig::discrete_evaluation, "discrete_evaluation",
                    "at evaluation each expert takes the one token that weighs most, with weight 1")
          .live(),
      config::field(&MotConfig::sharpen_temperature, "sharpen_temperature",
                    "temperature at the end of the sharpen stage; one that is lower already stays")
          .above(0)
          .range(0, 1000)
          .live()
          .logarithmic(),
      config::field(&MotConfig::entropy_coefficient, "entropy_coefficient",
                    "weight of the mixing weights' mean entropy over the group's largest; not in the paper")
          .range(0, 100)
          .live(),
  };
}

config::FieldList<MotStages> stage_fields() {
  return {
      config::field(&MotStages::mix_steps, "mix_steps", "steps before the temperature begins to fall; 0: the whole run")
          .range(0, 1e9)
          .unit("steps"),
      config::field(&MotStages::sharpen_steps, "sharpen_steps", "steps in which it falls, before mixing is disabled")
          .range(0, 1e9)
          .unit("steps"),
  };
}

MotStages stages_of(const std::map<std::string, config::Value>& values) {
  MotStages stages;
  config::assign(stage_fields(), values, stages);
  return stages;
}

class MotRouter : public RouterBase<MotConfig> {
 public:
  MotRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, mot_fields()), sharpen_steps_(stages_of(context.stages).sharpen_steps) {
    // Fan-in d, scale 1. The released code cuts at two scales, which cuts nothing; this cuts at two deviations.
    rows_ED_ = parameters.add(context.prefix + ".rows", {num_experts_, context.d_model},
                              Init::truncated_normal(std::sqrt(1.0 / context.d_model)), ParameterRole::kRouter);
    if (config_.learn_temperature) {
      const std::int64_t count = config_.temperature_per_expert ? num_experts_ : 1;
      log_temperature_ = parameters.add(context.prefix + ".log_temperature", {count}, Init::zeros(),
                                        ParameterRole::kRouter, -1, /*fixed=*/false, /*decayed=*/false);
      log_temperature_.detach().fill_(std::log(config_.temperature));
    }
    sharpen_start_ = at::full({1}, kNotYet, at::kLong);
    keep_parameters(context, parameters);
    keep_state("sharpen_start", sharpen_start_);
  }

  void begin_step(std::int64_t step) override {
    step_ = step;
    if (controls_.stage == kSharpen && sharpen_start_.item<std::int64_t>() == kNotYet) sharpen_start_.fill_(step);
  }

  void apply(const RouterControls& controls) override {
    if (controls.stage != kSharpen) sharpen_start_.fill_(kNotYet);
    RouterBase::apply(controls);
  }

  Routing route(const RouterInput& input) override {
    const TokenGroups groups = position_groups(input, config_.group_size);
    const at::Tensor scores_TE = at::linear(input.hidden_TD, rows_ED_);
    require_finite(scores_TE);
    const std::int64_t G = groups.member_GI.size(0), I = groups.member_GI.size(1);
    const at::Tensor logits_GIE =
        (scores_TE / temperature()).index_select(0, groups.member_GI.reshape({-1})).view({G, I, num_experts_});
    at::Tensor weight_GIE = at::softmax(mask_absent(logits_GIE, groups.present_GI), 1);
    Routing routing;
    const bool is_private = controls_.stage == kPrivate;
    if (input.mode == RouteMode::kTrain && I > 1 && !is_private) {
      routing.losses.push_back({"mixing_entropy", entropy(weight_GIE), config_.entropy_coefficient});
    }
    if (is_private || (input.mode == RouteMode::kEvaluate && config_.discrete_evaluation)) {
      weight_GIE = heaviest(weight_GIE);
    }
    const at::Tensor weight_GIES = weight_GIE.unsqueeze(3);
    routing.assignment = DenseRouting{groups.member_GI, weight_GIES, weight_GIES};
    return routing;
  }

  int top_k() const override { return static_cast<int>(num_experts_); }
  double experts_per_token() const override {
    return static_cast<double>(num_experts_) / static_cast<double>(config_.group_size);
  }

 private:
  /// [1] or [E]. In the sharpen stage it falls by equal factors and arrives with the stage's last step.
  at::Tensor temperature() const {
    const at::Tensor start =
        log_temperature_.defined() ? log_temperature_.exp() : at::full({1}, config_.temperature, rows_ED_.options());
    if (controls_.stage == kMix) return start;
    const at::Tensor end = start.clamp_max(config_.sharpen_temperature);
    const double part = sharpened_part();
    return start.pow(1 - part) * end.pow(part);
  }

  double sharpened_part() const {
    if (controls_.stage == kPrivate) return 1;
    const std::int64_t start = sharpen_start_.item<std::int64_t>();
    if (start == kNotYet) return 0;
    const auto steps = static_cast<double>(std::max<std::int64_t>(1, sharpen_steps_));
    return std::clamp(static_cast<double>(step_ - start + 1) / steps, 0.0, 1.0);
  }

  /// Mean over groups and experts of H(w) / ln g.
  static at::Tensor entropy(const at::Tensor& weight_GIE) {
    if (weight_GIE.numel() == 0) return weight_GIE.sum();
    // Nothing at weight 0, where the clamp keeps the gradient finite.
    const at::Tensor entropy_GE = -(weight_GIE * weight_GIE.clamp_min(1e-12).log()).sum(1);
    return entropy_GE.mean() / std::log(static_cast<double>(weight_GIE.size(1)));
  }

  /// One member of weight 1 for each expert; among equals the first.
  static at::Tensor heaviest(const at::Tensor& weight_GIE) {
    const at::Tensor order_GIE = std::get<1>(weight_GIE.detach().sort(/*stable=*/true, 1, /*descending=*/true));
    return at::zeros_like(weight_GIE).scatter(1, order_GIE.narrow(1, 0, 1), 1);
  }

  std::string refuse(const MotConfig& wanted) const override {
    if (!config_.learn_temperature || wanted.temperature == config_.temperature) return {};
    return "'temperature' is where the learned temperature started; it learns on by itself";
  }

  at::Tensor rows_ED_, log_temperature_;
  at::Tensor sharpen_start_;  ///< [1], the first step of the sharpen stage, kNotYet outside it
  std::int64_t sharpen_steps_, step_ = 0;
};

Diagnostics check_mot(const config::RunConfig& config) {
  Diagnostics found;
  const std::int64_t group = std::get<std::int64_t>(config.router.at("group_size"));
  const std::int64_t batch = config.train.batch_size;
  if (group == 1) {
    found.push_back(lint_at(config, "moe.router.group_size",
                            "'group_size' is 1: nothing is mixed, every token goes to every expert with weight 1",
                            "take 2 or more sequences; the paper takes 32"));
  } else if (batch % group != 0) {
    found.push_back(lint_at(config, "moe.router.group_size",
                            "'group_size' is " + std::to_string(group) + ", but a batch has " + std::to_string(batch) +
                                " sequences: the last group has " + std::to_string(batch % group) +
                                ", whose tokens weigh more than those of a whole group",
                            "make train.batch_size a multiple of the group size"));
  }
  const MotStages stages = stages_of(config.stages);
  if (stages.mix_steps == 0 && config.written.contains("stages.sharpen_steps")) {
    found.push_back(lint_at(config, "stages.sharpen_steps",
                            "'sharpen_steps' is set, but 'mix_steps' is 0, the whole run: nothing is ever sharpened",
                            "say in mix_steps after how many steps the temperature begins to fall"));
  }
  if (std::get<bool>(config.router.at("temperature_per_expert")) &&
      !std::get<bool>(config.router.at("learn_temperature"))) {
    found.push_back(
        lint_at(config, "moe.router.temperature_per_expert",
                "'temperature_per_expert' is true, but the temperature is not learned: one value serves all",
                "set learn_temperature = true"));
  }
  return found;
}

Method make_mot_method() {
  config::MethodInfo info;
  info.id = "mot";
  info.title = "Mixture of Tokens";
  info.summary = "experts get mixtures of tokens of several sequences, and give their outputs back by the same weights";
  info.paper = "Antoniak et al., NeurIPS 2024";
  info.traits.mixes_sequences = true;
  info.traits.balanced = true;
  info.stages = {{"mix", "Mix", "every expert gets one mixture of each group's tokens"},
                 {"sharpen", "Sharpen", "the temperature falls, and mixtures become choices"},
                 {"private", "Private", "mixing is disabled: each expert takes the one token that weighs most"}};
  info.router = config::schema_of("moe.router", mot_fields());
  info.stage_schedule = config::schema_of("stages", stage_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<MotRouter>(std::move(info));
  method.check = check_mot;
  method.stage_due = [](const config::RunConfig& config, std::int64_t step) {
    const MotStages stages = stages_of(config.stages);
    if (stages.mix_steps == 0 || step < stages.mix_steps) return kMix;
    return step < stages.mix_steps + stages.sharpen_steps ? kSharpen : kPrivate;
  };
  method.shape_experts = [](const config::RunConfig&, ExpertShape& shape) { shape.bias = false; };
  return method;
}

const RegisterMethod registered{make_mot_method()};

}  // namespace
}  // namespace moescope::moe
