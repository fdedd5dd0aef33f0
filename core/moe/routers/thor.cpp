// THOR (Zuo et al., ICLR 2022): no router. In training each layer draws one expert for the whole batch, anew in each of
// two passes and with replacement, so both may draw the same; the objective pulls the two predictions together
// (thor_objective.h). At evaluation experts are drawn per token or per sentence, or all of them are averaged. The
// released code's sentence level draws per position and shares it over the batch; here each sequence has its own.

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "core/moe/lint.h"
#include "core/moe/router_base.h"
#include "core/moe/thor_objective.h"

namespace moescope::moe {
namespace {

struct ThorConfig {
  double consistency_weight = 5;
  std::string draw = "layer";
  std::string inference = "token";
  bool distinct_pair = false;
};

config::FieldList<ThorConfig> thor_fields() {
  return {
      config::field(&ThorConfig::consistency_weight, "consistency_weight",
                    "weight of the divergence between the predictions of the two passes")
          .range(0, 1000)
          .live(),
      config::field(&ThorConfig::draw, "draw",
                    "what shares one drawn expert in training: the layer's whole batch, a sentence, a token")
          .choices({"layer", "sentence", "token"})
          .live(),
      config::field(&ThorConfig::inference, "inference",
                    "at evaluation: an expert drawn for each token or sentence, or the mean of all (ensemble)")
          .choices({"token", "sentence", "ensemble"})
          .live(),
      config::field(&ThorConfig::distinct_pair, "distinct_pair",
                    "the second pass never draws what the first drew; the paper draws both alike")
          .live(),
  };
}

class ThorRouter : public RouterBase<ThorConfig> {
 public:
  ThorRouter(const RouterContext& context, ParameterSet&) : RouterBase(context, thor_fields()) {}

  void begin_step(std::int64_t) override { first_draw_ = at::Tensor(); }

  Routing route(const RouterInput& input) override {
    const std::int64_t T = input.hidden_TD.size(0);
    const bool evaluating = input.mode == RouteMode::kEvaluate;
    if (evaluating && config_.inference == "ensemble") return mean_of_all(input);
    const std::string& shared_by = evaluating ? config_.inference : config_.draw;
    const std::int64_t count = draws_of(input, shared_by);
    const at::Tensor draw = input.mode == RouteMode::kTrain && config_.distinct_pair && num_experts_ > 1
                                ? draw_of_pair(input, count)
                                : index_draw(input, "expert", {count}, num_experts_);
    const at::Tensor expert_T1 = draw.index_select(0, sharer_T(input, shared_by)).unsqueeze(1);
    Routing routing;
    routing.assignment = token_choice(expert_T1, at::ones({T, 1}, input.hidden_TD.options()));
    return routing;
  }

 private:
  Routing mean_of_all(const RouterInput& input) const {
    const std::int64_t T = input.hidden_TD.size(0);
    const at::Tensor all_TK = at::arange(num_experts_, input.hidden_TD.options().dtype(at::kLong)).repeat({T, 1});
    const double share = 1.0 / static_cast<double>(num_experts_);
    Routing routing;
    routing.assignment = token_choice(all_TK, at::full({T, num_experts_}, share, input.hidden_TD.options()));
    return routing;
  }

  static std::int64_t draws_of(const RouterInput& input, const std::string& shared_by) {
    if (shared_by == "token") return input.hidden_TD.size(0);
    return shared_by == "sentence" ? input.token_id_BL.size(0) : 1;
  }

  /// Which of the draws each token takes.
  static at::Tensor sharer_T(const RouterInput& input, const std::string& shared_by) {
    const at::Tensor cell_T = cells_T(input);
    if (shared_by == "layer") return at::zeros_like(cell_T);
    if (shared_by == "sentence") return at::floor_divide(cell_T, std::max<std::int64_t>(1, input.token_id_BL.size(1)));
    return at::arange(cell_T.numel(), cell_T.options());
  }

  /// Uniform among the others in the second pass of a step; its passes come here one after the other.
  at::Tensor draw_of_pair(const RouterInput& input, std::int64_t count) {
    if (!first_draw_.defined() || first_draw_.numel() != count) {
      first_draw_ = index_draw(input, "expert", {count}, num_experts_);
      return first_draw_;
    }
    const at::Tensor other = index_draw(input, "other", {count}, num_experts_ - 1);
    return (std::exchange(first_draw_, at::Tensor()) + 1 + other).remainder(num_experts_);
  }

  at::Tensor first_draw_;  ///< of a step's first pass, until the second took it into account
};

Diagnostics check_thor(const config::RunConfig& config) {
  if (!std::get<bool>(config.router.at("distinct_pair")) || config.moe.num_experts > 1) return {};
  return {lint_at(config, "moe.router.distinct_pair",
                  "'distinct_pair' is true, but a layer has 1 expert: both passes take it", "take 2 experts or more")};
}

Method make_thor_method() {
  config::MethodInfo info;
  info.id = "thor";
  info.title = "THOR";
  info.summary = "experts are drawn by chance, and a loss makes any two draws agree";
  info.paper = "Zuo et al., ICLR 2022";
  info.traits.gates_sum_to_one = true;
  info.traits.router_learns = false;
  info.traits.draws_evaluation = true;
  info.stages = {{"train", "Train", "two passes with drawn experts learn to agree"}};
  info.router = config::schema_of("moe.router", thor_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  Method method = method_with_router<ThorRouter>(std::move(info));
  method.check = check_thor;
  method.make_objective = [](const config::RunConfig& config) {
    // An empty configuration stands for the defaults.
    const auto weight = config.router.find("consistency_weight");
    return thor_objective(
        weight == config.router.end() ? ThorConfig{}.consistency_weight : std::get<double>(weight->second),
        config.train.label_smoothing);
  };
  return method;
}

const RegisterMethod registered{make_thor_method()};

}  // namespace
}  // namespace moescope::moe
