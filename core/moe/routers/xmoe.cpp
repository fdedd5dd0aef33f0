// X-MoE (Chi et al., NeurIPS 2022): tokens are projected to a low-dimensional sphere, scores are cosines with the
// experts' embeddings, and the gate has a learned temperature of its own. Embeddings keep their norm, which sets how
// fast routing can move. The balance loss has a fixed temperature, so that raising the learned one cannot appease it.
// In fine-tuning router and experts are frozen, and the balance loss reaches only the layers below. `variant =
// "torchscale"` is the released gate, which differs: tokens are not normalised, no temperature is learned, nor is there
// a fixed one in the balance loss, embeddings keep the norm 1.5, and the sphere's space has 16 dimensions.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/moe/balance_loss.h"
#include "core/moe/lint.h"
#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

constexpr int kPretrain = 0;
constexpr int kFineTune = 1;
constexpr double kLeastNorm = 1e-12;

struct XmoeConfig {
  int top_k = 1;
  std::string gate = "softmax";
  double balance_coefficient = 0.01;
  double balance_temperature = 0;
  double temperature_start = 0;
  double embedding_norm = 0;
  int router_dim = 0;
  std::string variant = "paper";
};

struct XmoeStages {
  std::int64_t pretrain_steps = 0;
  bool finetune = false;
};

config::FieldList<XmoeConfig> xmoe_fields() {
  return {
      config::field(&XmoeConfig::top_k, "top_k", "experts each token chooses").range(1, 2).live(),
      config::field(&XmoeConfig::gate, "gate", "of one chosen expert: its softmax share, or a sigmoid of its score")
          .choices({"softmax", "sigmoid"}),
      config::field(&XmoeConfig::balance_coefficient, "balance_coefficient", "weight of the load-balance loss")
          .range(0, 100)
          .live(),
      config::field(&XmoeConfig::balance_temperature, "balance_temperature",
                    "fixed temperature inside the balance loss; 0 is the gate's own: 0.3, of a sigmoid 0.07")
          .range(0, 100),
      config::field(&XmoeConfig::temperature_start, "temperature_start",
                    "where the gate's learned temperature starts; 0 is the gate's own: 0.3, of a sigmoid 0.07")
          .range(0, 100),
      config::field(&XmoeConfig::embedding_norm, "embedding_norm",
                    "norm that every expert's embedding keeps; 0 is the variant's own: 0.1, of torchscale 1.5")
          .range(0, 100),
      config::field(&XmoeConfig::router_dim, "router_dim",
                    "width of the sphere's space; 0 is the variant's own: half the number of experts, at least 4, of "
                    "torchscale 16; 3 draws the sphere exactly")
          .range(0, 128),
      config::field(&XmoeConfig::variant, "variant",
                    "paper, or torchscale: the released gate normalises embeddings only and has no temperature")
          .choices({"paper", "torchscale"}),
  };
}

config::FieldList<XmoeStages> stage_fields() {
  return {config::field(&XmoeStages::pretrain_steps, "pretrain_steps",
                        "steps before router and experts are frozen for fine-tuning; 0: the whole run")
              .range(0, 1e9)
              .unit("steps"),
          config::field(&XmoeStages::finetune, "finetune",
                        "fine-tune from the first step, with the router and experts that model.init_from loads")};
}

XmoeStages stages_of(const config::RunConfig& config) {
  XmoeStages stages;
  config::assign(stage_fields(), config.stages, stages);
  return stages;
}

/// What 0 stands for.
XmoeConfig completed(XmoeConfig config, std::int64_t num_experts) {
  const bool released = config.variant == "torchscale";
  const double own_temperature = config.gate == "sigmoid" ? 0.07 : 0.3;
  if (config.temperature_start == 0) config.temperature_start = own_temperature;
  if (config.balance_temperature == 0) config.balance_temperature = own_temperature;
  if (released) config.balance_temperature = 1;
  if (config.embedding_norm == 0) config.embedding_norm = released ? 1.5 : 0.1;
  const std::int64_t own_dim = released ? 16 : std::max<std::int64_t>(4, num_experts / 2);
  if (config.router_dim == 0) config.router_dim = static_cast<int>(own_dim);
  return config;
}

at::Tensor unit_rows(const at::Tensor& x) { return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(kLeastNorm); }

class XmoeRouter : public RouterBase<XmoeConfig> {
 public:
  XmoeRouter(const RouterContext& context, ParameterSet& parameters) : RouterBase(context, xmoe_fields()) {
    config_ = completed(config_, num_experts_);
    const std::int64_t dim = config_.router_dim;
    const auto add = [&](const char* part, const std::vector<std::int64_t>& shape, Init init, bool decayed) {
      return parameters.add(context.prefix + part, shape, init, ParameterRole::kRouter, -1, /*fixed=*/false, decayed);
    };
    reduce_RD_ = add(".reduce", {dim, context.d_model}, Init::orthogonal(1), /*decayed=*/true);
    rows_ER_ = add(".rows", {num_experts_, dim}, released() ? Init::orthogonal(0.32) : Init::normal(1), false);
    keep_norms();
    if (!released()) {
      log_temperature_ = add(".log_temperature", {1}, Init::zeros(), /*decayed=*/false);
      log_temperature_.detach().fill_(std::log(config_.temperature_start));
    }
    keep_parameters(context, parameters);
    allow_table();
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = at::linear(vectors(input.hidden_TD), unit_rows(rows_ER_));
    const at::Tensor heated_TE = log_temperature_.defined() ? scores_TE / log_temperature_.exp() : scores_TE;
    const SoftmaxTopk choice = choose(input, heated_TE, top_k());
    Routing routing = routing_of(input, scores_TE, choice);
    routing.assignment = token_choice(choice.expert_TK, gate(heated_TE, choice));
    if (input.mode == RouteMode::kTrain) {
      const at::Tensor probs_TE = at::softmax(scores_TE / config_.balance_temperature, 1);
      routing.losses.push_back(
          {"balance", switch_balance_loss(probs_TE, choice.expert_TK), config_.balance_coefficient});
    }
    return routing;
  }

  void apply(const RouterControls& controls) override {
    RouterControls held = controls;
    held.frozen = controls.frozen || controls.stage >= kFineTune;
    RouterBase::apply(held);
  }
  bool experts_frozen() const override { return controls_.stage >= kFineTune; }

  /// Outside the gradient: that of cosine scores is tangential, and only the optimiser's step leaves the sphere.
  void after_step(const std::vector<LayerRecord>&, std::size_t) override {
    if (!controls_.frozen) keep_norms();
  }

  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override {
    return RouterSpaceTensors{vectors(hidden_TD).detach(), unit_rows(rows_ER_).detach()};
  }
  int space_dim() const override { return static_cast<int>(rows_ER_.size(1)); }

 private:
  bool released() const { return config_.variant == "torchscale"; }

  at::Tensor vectors(const at::Tensor& hidden_TD) const {
    const at::Tensor reduced_TR = at::linear(hidden_TD, reduce_RD_);
    return released() ? reduced_TR : unit_rows(reduced_TR);
  }

  at::Tensor gate(const at::Tensor& heated_TE, const SoftmaxTopk& choice) const {
    const at::Tensor chosen_TK = heated_TE.gather(1, choice.expert_TK);
    if (top_k() > 1) return at::softmax(chosen_TK, 1);
    return config_.gate == "sigmoid" ? at::sigmoid(chosen_TK) : choice.probs_TE.gather(1, choice.expert_TK);
  }

  void keep_norms() {
    const at::Tensor rows_ER = rows_ER_.detach();
    rows_ER.mul_(config_.embedding_norm / rows_ER.norm(2, 1, /*keepdim=*/true).clamp_min(kLeastNorm));
  }

  at::Tensor reduce_RD_, rows_ER_, log_temperature_;
};

Diagnostics check_xmoe(const config::RunConfig& config) {
  Diagnostics found;
  const XmoeStages stages = stages_of(config);
  if (stages.finetune && config.model.init_from.empty()) {
    found.push_back(lint_at(config, "stages.finetune",
                            "'finetune' is true, but 'init_from' is empty: router and experts stay as chance made them",
                            "name in model.init_from the run that was pre-trained"));
  }
  if (stages.finetune && stages.pretrain_steps > 0) {
    found.push_back(lint_at(config, "stages.pretrain_steps",
                            "'pretrain_steps' is set, but 'finetune' is true: there is no pre-training in this run",
                            "leave out one of the two"));
  }
  if (stages.pretrain_steps >= config.train.steps) {
    found.push_back(lint_at(config, "stages.pretrain_steps",
                            "'pretrain_steps' is " + std::to_string(stages.pretrain_steps) + ", but the run has " +
                                std::to_string(config.train.steps) + " steps: fine-tuning never starts by itself",
                            "0 says that the whole run is pre-training; 'steps' is in [train]"));
  }
  return found;
}

Method make_xmoe_method() {
  config::MethodInfo info;
  info.id = "xmoe";
  info.title = "X-MoE";
  info.summary = "tokens meet experts on a small sphere, with a learned temperature in the gate";
  info.paper = "Chi et al., NeurIPS 2022";
  info.traits.order_independent = true;
  info.traits.has_router_rows = true;
  info.traits.token_choice = true;
  info.stages = {{"pretrain", "Pre-train", "router, temperature and experts learn from the task and the balance loss"},
                 {"finetune", "Fine-tune", "router and experts are frozen; the balance loss shapes the layers below"}};
  info.router = config::schema_of("moe.router", xmoe_fields());
  info.stage_schedule = config::schema_of("stages", stage_fields());
  info.defaults = {{"moe.placement", std::string("inserted")}};
  Method method = method_with_router<XmoeRouter>(std::move(info));
  method.check = check_xmoe;
  method.stage_due = [](const config::RunConfig& config, std::int64_t step) {
    const XmoeStages stages = stages_of(config);
    if (stages.finetune) return kFineTune;
    return stages.pretrain_steps == 0 || step < stages.pretrain_steps ? kPretrain : kFineTune;
  };
  return method;
}

const RegisterMethod registered{make_xmoe_method()};

}  // namespace
}  // namespace moescope::moe
