// StableMoE (Dai et al., ACL 2022). Stage "learn": tokens go to the backbone router's best expert, a
// balance loss spreads them, and a student learns the choices from token ids. Stage "frozen": the student, stopped,
// chooses; the gate stays σ(E·h) with the backbone's still-trained rows E. At evaluation the student always chooses.

#include <ATen/ATen.h>

#include <algorithm>

#include "core/moe/lint.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"
#include "core/moe/softmax_topk.h"
#include "core/moe/student_router.h"

namespace moescope::moe {
namespace {

constexpr int kLearn = 0;
constexpr int kFrozen = 1;
constexpr std::int64_t kWordVocabulary = 2000;

struct StableMoeConfig {
  double balance_coefficient = 0.3;
  double distillation_coefficient = 0.3;
  std::string student = "word";
  int student_dim = 50;
  int router_dim = 0;
};

struct StableMoeStages {
  std::int64_t learn_steps = 240;
};

config::FieldList<StableMoeConfig> stablemoe_fields() {
  return {
      config::field(&StableMoeConfig::balance_coefficient, "balance_coefficient",
                    "weight of the balance loss, per-token mean; off in the frozen stage")
          .range(0, 100)
          .live(),
      config::field(&StableMoeConfig::distillation_coefficient, "distillation_coefficient",
                    "weight of the student's distillation loss, per-token mean; off in the frozen stage")
          .range(0, 100)
          .live(),
      config::field(&StableMoeConfig::student, "student",
                    "what the student sees: the token, the token and the one before, or a window of five")
          .choices({"word", "bigram", "causal_window"}),
      config::field(&StableMoeConfig::student_dim, "student_dim", "width of the student's own token embedding")
          .range(1, 1024),
      router_dim_field<StableMoeConfig>(),
  };
}

config::FieldList<StableMoeStages> stage_fields() {
  return {
      config::field(&StableMoeStages::learn_steps, "learn_steps", "steps before the student takes over and is frozen")
          .range(0, 1e9)
          .unit("steps")};
}

/// mean_t ((n_a − n̄)/n̄) · σ(s_{t,a}), a = a_t: overloaded experts have their gates pushed down, underloaded ones pulled
/// up. The factor is constant. The paper sums over tokens beside a summed task loss; ours are means, so the coefficient
/// keeps its meaning.
at::Tensor balance_loss(const at::Tensor& gate_T, const at::Tensor& expert_T, std::int64_t num_experts) {
  if (gate_T.numel() == 0) return gate_T.sum();
  const double fair_share = static_cast<double>(gate_T.numel()) / static_cast<double>(num_experts);
  const at::Tensor excess_E = at::bincount(expert_T, {}, num_experts).to(gate_T.scalar_type()) / fair_share - 1;
  return at::dot(excess_E.index_select(0, expert_T), gate_T) / static_cast<double>(gate_T.numel());
}

/// −mean_t log softmax(ŝ_t)[a_t]; reaches the student only.
at::Tensor distillation_loss(const at::Tensor& student_TE, const at::Tensor& expert_T) {
  return expert_T.numel() == 0 ? student_TE.sum() : at::cross_entropy_loss(student_TE, expert_T);
}

class StableMoeRouter : public RouterBase<StableMoeConfig> {
 public:
  StableMoeRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, stablemoe_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, /*bias=*/false, Init::orthogonal(0.1)},
              context.prefix, parameters),
        student_({student_kind(config_.student), context.vocab_size, config_.student_dim, context.num_experts},
                 context.prefix, parameters) {
    keep_parameters(context, parameters);
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor backbone_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    at::Tensor student_TE = student_.scores_TE(input.token_id_BL);
    if (input.cell_T.defined()) student_TE = student_TE.index_select(0, input.cell_T);
    require_finite(backbone_TE);
    require_finite(student_TE);

    const bool by_student = student_chooses() || input.mode == RouteMode::kEvaluate;
    Routing routing;
    routing.scores_TE = by_student ? student_TE.detach() : backbone_TE;
    const SoftmaxTopk choice = softmax_topk(routing.scores_TE.detach(), 1);
    routing.probs_TE = choice.probs_TE;
    routing.entropy_T = choice.entropy_T;
    routing.margin_T = choice.margin_T;
    routing.student_T = by_student ? choice.expert_TK.squeeze(1) : student_TE.detach().argmax(1);
    const at::Tensor gate_TK = at::sigmoid(backbone_TE.gather(1, choice.expert_TK));
    routing.assignment = token_choice(choice.expert_TK, gate_TK);
    if (input.mode == RouteMode::kTrain && !student_chooses()) {
      add_losses(routing, gate_TK.squeeze(1), choice.expert_TK.squeeze(1), student_TE);
    }
    return routing;
  }

  /// int(factor · T/E) for the whole batch, at evaluation too.
  Capacity capacity(std::int64_t num_tokens, RouteMode mode) const override {
    if (mode == RouteMode::kProbe || capacity_factor_ <= 0) return {};
    const double slots = capacity_factor_ * static_cast<double>(num_tokens) / static_cast<double>(num_experts_);
    return {std::max<std::int64_t>(1, static_cast<std::int64_t>(slots)), 0};  // 0 slots would mean no limit
  }

  /// The student stops for good measure: no gradient, so no optimiser moves it.
  void apply(const RouterControls& controls) override {
    RouterBase::apply(controls);
    for (Parameter& one : parameters_) {
      if (one.role == ParameterRole::kStudent) one.tensor.requires_grad_(student_learns());
    }
  }

  bool has_student() const override { return true; }
  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  bool student_chooses() const { return controls_.stage >= kFrozen || controls_.pinned; }
  bool student_learns() const { return !student_chooses() && !controls_.frozen; }

  void add_losses(Routing& routing, const at::Tensor& gate_T, const at::Tensor& expert_T,
                  const at::Tensor& student_TE) const {
    routing.losses.push_back({"balance", balance_loss(gate_T, expert_T, num_experts_), config_.balance_coefficient});
    if (student_learns()) {
      routing.losses.push_back(
          {"distillation", distillation_loss(student_TE, expert_T), config_.distillation_coefficient});
    }
  }

  ScoreHead head_;
  StudentRouter student_;
};

std::int64_t learn_steps(const config::RunConfig& config) {
  return std::get<std::int64_t>(config.stages.at("learn_steps"));
}

Diagnostics check_stablemoe(const config::RunConfig& config) {
  Diagnostics found;
  const std::string steps = std::to_string(learn_steps(config));
  if (learn_steps(config) == 0) {
    found.push_back(lint_at(config, "stages.learn_steps",
                            "'learn_steps' is 0: the student never learns, so its choices stay random",
                            "the paper learns for the first tenth of the run"));
  } else if (learn_steps(config) >= config.train.steps) {
    found.push_back(lint_at(config, "stages.learn_steps",
                            "'learn_steps' is " + steps + ", but the run has " + std::to_string(config.train.steps) +
                                " steps: the frozen stage never starts by itself",
                            "the paper learns for the first tenth of the run; 'steps' is in [train]"));
  }
  const bool bytes = config.data.tokenizer == "bytes";
  const bool small_vocabulary = bytes || config.data.vocab_size < kWordVocabulary;
  if (std::get<std::string>(config.router.at("student")) == "word" && small_vocabulary) {
    const std::string size = bytes ? "256 bytes" : std::to_string(config.data.vocab_size) + " pieces";
    found.push_back(
        lint_at(config, "moe.router.student",
                "'student' is \"word\" with a vocabulary of " + size +
                    ": the frozen routing becomes a look-up by symbol that ignores context",
                "use student = \"bigram\" or \"causal_window\", or a BPE vocabulary of 2000 pieces or more"));
  }
  return found;
}

Method make_stablemoe_method() {
  config::MethodInfo info;
  info.id = "stablemoe";
  info.title = "StableMoE";
  info.summary = "learns a balanced routing, distils it into a student that sees token ids only, then freezes it";
  info.paper = "Dai et al., ACL 2022";
  info.traits.order_independent = true;
  info.traits.has_student = true;
  info.traits.has_router_rows = true;
  info.stages = {{"learn", "Learn", "the backbone router chooses and is balanced; the student imitates it"},
                 {"frozen", "Frozen", "the student chooses and no longer changes; gates and experts go on learning"}};
  info.router = config::schema_of("moe.router", stablemoe_fields());
  info.stage_schedule = config::schema_of("stages", stage_fields());
  info.defaults = {{"moe.placement", std::string("inserted")}, {"moe.capacity_factor", 2.0}};
  Method method = method_with_router<StableMoeRouter>(std::move(info));
  method.stage_due = [](const config::RunConfig& config, std::int64_t step) {
    return step < learn_steps(config) ? kLearn : kFrozen;
  };
  method.check = check_stablemoe;
  return method;
}

const RegisterMethod registered{make_stablemoe_method()};

}  // namespace
}  // namespace moescope::moe
