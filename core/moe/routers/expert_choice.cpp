// Expert Choice (Zhou et al., NeurIPS 2022): experts choose tokens. Each takes the tokens it has the largest
// probability for; loads are equal by construction, and a token gets any number of experts, none included. Choosing
// within a sequence or a batch looks ahead; choosing at each position over the batch does not, but mixes sequences.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.h"
#include "core/moe/groups.h"
#include "core/moe/lint.h"
#include "core/moe/router_base.h"
#include "core/moe/score_head.h"

namespace moescope::moe {
namespace {

struct ExpertChoiceConfig {
  double capacity = 2;
  std::string scope = "batch";
  int router_dim = 0;
};

config::FieldList<ExpertChoiceConfig> expert_choice_fields() {
  return {
      config::field(&ExpertChoiceConfig::capacity, "capacity", "experts per token on average")
          .above(0)
          .range(0, 256)
          .live(),
      config::field(&ExpertChoiceConfig::scope, "scope",
                    "what an expert chooses from: the batch, each sequence, or the batch at each position")
          .choices({"batch", "sequence", "position"}),
      router_dim_field<ExpertChoiceConfig>(),
  };
}

class ExpertChoiceRouter : public RouterBase<ExpertChoiceConfig> {
 public:
  ExpertChoiceRouter(const RouterContext& context, ParameterSet& parameters)
      : RouterBase(context, expert_choice_fields()),
        head_({context.d_model, context.num_experts, config_.router_dim, /*bias=*/false, Init::normal(0.02)},
              context.prefix, parameters) {
    keep_parameters(context, parameters);
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor scores_TE = head_.scores_TE(head_.vectors_TR(input.hidden_TD));
    const SoftmaxTopk statistics = softmax_topk(scores_TE, 1);
    Routing routing = routing_of(input, scores_TE, statistics);
    const TokenGroups groups = groups_of(input);
    const std::int64_t G = groups.member_GI.size(0), I = groups.member_GI.size(1);
    const at::Tensor probs_GIE = statistics.probs_TE.detach()
                                     .index_select(0, groups.member_GI.reshape({-1}))
                                     .view({G, I, num_experts_})
                                     .masked_fill(groups.present_GI.logical_not().unsqueeze(2), -1);
    // Stable: among equal probabilities the earlier token is taken.
    const at::Tensor order_GIE = std::get<1>(probs_GIE.sort(/*stable=*/true, 1, /*descending=*/true));
    const at::Tensor rank_1I1 = at::arange(I, groups.member_GI.options()).view({1, I, 1});
    const at::Tensor taken_GIE = rank_1I1.lt(slots_G(groups).view({G, 1, 1})).expand_as(order_GIE);
    // Where something is taken, as (expert, group, rank): expert by expert, best first.
    const at::Tensor place_N3 = taken_GIE.permute({2, 0, 1}).nonzero();
    SparseRouting list;
    list.expert_N = place_N3.select(1, 0).contiguous();
    const at::Tensor flat_N = (place_N3.select(1, 1) * I + place_N3.select(1, 2)) * num_experts_ + list.expert_N;
    const at::Tensor member_N = order_GIE.reshape({-1}).index_select(0, flat_N) + place_N3.select(1, 1) * I;
    list.token_N = groups.member_GI.reshape({-1}).index_select(0, member_N);
    list.gate_N = statistics.probs_TE.reshape({-1}).index_select(0, list.token_N * num_experts_ + list.expert_N);
    list.choices_per_token = 0;
    routing.assignment = std::move(list);
    return routing;
  }

  int top_k() const override {
    return std::clamp(static_cast<int>(std::lround(config_.capacity)), 1, static_cast<int>(num_experts_));
  }
  double experts_per_token() const override { return std::min(config_.capacity, static_cast<double>(num_experts_)); }
  std::optional<RouterSpaceTensors> space(const at::Tensor& hidden_TD) override { return head_.space(hidden_TD); }
  int space_dim() const override { return head_.dim(); }

 private:
  TokenGroups groups_of(const RouterInput& input) const {
    if (config_.scope == "batch") return batch_group(input);
    return config_.scope == "sequence" ? sequence_groups(input) : position_groups(input, 0);
  }

  /// ⌊n · capacity / E⌋ of the n tokens of a group, at least one, at most all.
  at::Tensor slots_G(const TokenGroups& groups) const {
    const at::Tensor count_G = groups.present_GI.sum(1);
    const at::Tensor share_G =
        (count_G.to(at::kDouble) * config_.capacity / static_cast<double>(num_experts_)).floor().to(at::kLong);
    return at::minimum(share_G.clamp_min(1), count_G);
  }

  ScoreHead head_;
};

/// Tokens an expert chooses from, in a batch without padding.
std::int64_t tokens_to_choose_from(const config::RunConfig& config, const std::string& scope) {
  const std::int64_t batch = config.train.batch_size, context = config.model.context;
  if (scope == "batch") return batch * context;
  return scope == "sequence" ? context : batch;
}

Diagnostics check_expert_choice(const config::RunConfig& config) {
  Diagnostics found;
  const std::string& scope = std::get<std::string>(config.router.at("scope"));
  const double capacity = std::get<double>(config.router.at("capacity"));
  const std::int64_t tokens = tokens_to_choose_from(config, scope), experts = config.moe.num_experts;
  if (config.model.objective == "causal_lm" && scope != "position") {
    found.push_back(lint_at(config, "moe.router.scope",
                            "experts choose among all tokens of a " + scope +
                                ", later ones too: a causal language model trains with knowledge it will not have when "
                                "it writes",
                            "use scope = \"position\", which chooses over the batch at each position"));
  }
  if (capacity > static_cast<double>(experts)) {
    found.push_back(lint_at(config, "moe.router.capacity",
                            "'capacity' is " + shortest(capacity) + ", but a layer has " + std::to_string(experts) +
                                (experts == 1 ? " expert" : " experts") + ": every expert takes every token",
                            "'num_experts' is in [moe]"));
  } else if (static_cast<double>(tokens) * capacity < static_cast<double>(experts)) {
    found.push_back(lint_at(config, "moe.router.capacity",
                            std::to_string(experts) + " experts choose from " + std::to_string(tokens) +
                                (tokens == 1 ? " token" : " tokens") + ", one each at least, which is more than " +
                                shortest(capacity) + " for a token on average",
                            scope == "position" ? "use a larger train.batch_size, or fewer experts"
                                                : "use a longer model.context, or fewer experts"));
  }
  return found;
}

Method make_expert_choice_method() {
  config::MethodInfo info;
  info.id = "expert_choice";
  info.title = "Expert Choice";
  info.summary = "experts choose their tokens, so loads are equal and a token gets any number of experts";
  info.paper = "Zhou et al., NeurIPS 2022";
  info.traits.causal = false;
  info.traits.causal_evaluation = false;
  info.traits.mixes_sequences = true;
  info.traits.has_router_rows = true;
  info.traits.balanced = true;
  info.stages = {{"train", "Train", "router and experts learn from the task"}};
  info.router = config::schema_of("moe.router", expert_choice_fields());
  // Their tokens see later ones, so what is asked for must be hidden, not next.
  info.defaults = {{"moe.placement", std::string("ffn")}, {"model.objective", std::string("masked_lm")}};
  Method method = method_with_router<ExpertChoiceRouter>(std::move(info));
  method.check = check_expert_choice;
  return method;
}

const RegisterMethod registered{make_expert_choice_method()};

}  // namespace
}  // namespace moescope::moe
