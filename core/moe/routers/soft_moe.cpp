// Soft MoE (Puigcerver et al., ICLR 2024): every slot of every expert gets a weighted mean of all tokens of a sequence,
// and every token a weighted mean of all slots. Not causal: a token sees later ones.

#include <ATen/ATen.h>

#include "core/moe/groups.h"
#include "core/moe/lint.h"
#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

constexpr double kEpsilon = 1e-6;

struct SoftMoeConfig {
  int slots = 1;
};

config::FieldList<SoftMoeConfig> soft_moe_fields() {
  return {config::field(&SoftMoeConfig::slots, "slots", "slots of each expert in each sequence").range(1, 1024)};
}

at::Tensor unit_length(const at::Tensor& x) { return x * at::rsqrt(x.square().sum(-1, /*keepdim=*/true) + kEpsilon); }

class SoftMoeRouter : public RouterBase<SoftMoeConfig> {
 public:
  SoftMoeRouter(const RouterContext& context, ParameterSet& parameters) : RouterBase(context, soft_moe_fields()) {
    slots_ESD_ = parameters.add(context.prefix + ".slots", {num_experts_, config_.slots, context.d_model},
                                Init::normal(1), ParameterRole::kRouter, -1, false, /*decayed=*/false);
    scale_ = parameters.add(context.prefix + ".scale", {1}, Init::ones(), ParameterRole::kRouter, -1, false,
                            /*decayed=*/false);
    keep_parameters(context, parameters);
  }

  Routing route(const RouterInput& input) override {
    const TokenGroups groups = sequence_groups(input);
    const std::int64_t G = groups.member_GI.size(0), I = groups.member_GI.size(1), S = config_.slots;
    tokens_sharing_ = I;
    const std::int64_t D = input.hidden_TD.size(1), Z = num_experts_ * S;
    const at::Tensor slots_ZD = (scale_ * unit_length(slots_ESD_)).reshape({Z, D});
    const at::Tensor scores_TZ = at::linear(unit_length(input.hidden_TD), slots_ZD);
    require_finite(scores_TZ);
    const at::Tensor logits_GIZ = scores_TZ.index_select(0, groups.member_GI.reshape({-1})).view({G, I, Z});
    const at::Tensor dispatch_GIZ = at::softmax(mask_absent(logits_GIZ, groups.present_GI), 1);
    const at::Tensor combine_GIZ =
        at::softmax(logits_GIZ, 2) * groups.present_GI.unsqueeze(2).to(logits_GIZ.scalar_type());
    const std::vector<std::int64_t> shape = {G, I, num_experts_, S};
    Routing routing;
    routing.assignment = DenseRouting{groups.member_GI, dispatch_GIZ.view(shape), combine_GIZ.view(shape)};
    return routing;
  }

  int top_k() const override { return static_cast<int>(num_experts_); }
  double experts_per_token() const override {
    const auto slots = static_cast<double>(num_experts_ * config_.slots);
    return tokens_sharing_ == 0 ? slots : slots / static_cast<double>(tokens_sharing_);
  }
  double most_experts_per_token(std::int64_t context) const override {
    return static_cast<double>(num_experts_ * config_.slots) / static_cast<double>(context);
  }

 private:
  at::Tensor slots_ESD_, scale_;
  std::int64_t tokens_sharing_ = 0;  ///< the slots of a sequence, in the last pass; unknown before the first
};

Diagnostics check_soft_moe(const config::RunConfig& config) {
  if (config.model.objective != "causal_lm") return {};
  return {
      lint_at(config, "moe.method",
              "Soft MoE mixes all tokens of a sequence, later ones too: a causal language model can read what it is "
              "asked to predict, and its loss says nothing",
              "use objective = \"masked_lm\", or method = \"mot\", which mixes across sequences only")};
}

Method make_soft_moe_method() {
  config::MethodInfo info;
  info.id = "soft_moe";
  info.title = "Soft MoE";
  info.summary = "slots get weighted means of a sequence's tokens, tokens get weighted means of the slots";
  info.paper = "Puigcerver et al., ICLR 2024";
  info.traits.causal = false;
  info.traits.causal_evaluation = false;
  info.traits.gates_sum_to_one = true;
  info.stages = {{"train", "Train", "slots and experts learn from the task"}};
  info.router = config::schema_of("moe.router", soft_moe_fields());
  // Their tokens see later ones, so what is asked for must be hidden, not next.
  info.defaults = {{"moe.placement", std::string("ffn")}, {"model.objective", std::string("masked_lm")}};
  Method method = method_with_router<SoftMoeRouter>(std::move(info));
  method.check = check_soft_moe;
  return method;
}

const RegisterMethod registered{make_soft_moe_method()};

}  // namespace
}  // namespace moescope::moe
