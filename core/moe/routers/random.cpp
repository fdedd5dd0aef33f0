// The control that shows whether learning to route pays: each step every token draws its experts
// afresh, uniformly and without replacement, gates 1/k. A token's draw depends on the seed and its place in the batch
// only, so it is causal and does not change with the batch's size. Evaluation and probe draw in the same way from the
// noise seed they are given: a fixed seed there gives a fixed choice.

#include <ATen/ATen.h>

#include <numeric>

#include "core/base/seed.h"
#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

struct RandomConfig {
  int top_k = 1;
};

config::FieldList<RandomConfig> random_fields() {
  return {config::field(&RandomConfig::top_k, "top_k", "experts each token draws").range(1, 1024).live()};
}

class RandomRouter : public RouterBase<RandomConfig> {
 public:
  RandomRouter(const RouterContext& context, ParameterSet&) : RouterBase(context, random_fields()) {}

  Routing route(const RouterInput& input) override {
    const at::Tensor& hidden_TD = input.hidden_TD;
    const std::int64_t num_tokens = hidden_TD.size(0);
    const at::Tensor expert_TK = at::empty({num_tokens, top_k()}, at::kLong);
    std::int64_t* chosen = expert_TK.mutable_data_ptr<std::int64_t>();
    for (std::int64_t t = 0; t < num_tokens; ++t) draw(input.noise_seed, t, chosen + t * top_k());
    Routing routing;
    routing.assignment = token_choice(expert_TK.to(hidden_TD.device()),
                                      at::full({num_tokens, top_k()}, 1.0 / top_k(), hidden_TD.options()));
    return routing;
  }

 private:
  /// The first K places of a Fisher–Yates shuffle of all experts.
  void draw(std::uint64_t noise_seed, std::int64_t token, std::int64_t* chosen_K) {
    SeededWords words(derive_seed(noise_seed, "random experts", static_cast<std::uint64_t>(token)));
    deck_E_.resize(static_cast<std::size_t>(num_experts_));
    std::iota(deck_E_.begin(), deck_E_.end(), 0);
    for (std::size_t k = 0; k < static_cast<std::size_t>(top_k()); ++k) {
      std::swap(deck_E_[k], deck_E_[k + words.below(deck_E_.size() - k)]);
      chosen_K[k] = deck_E_[k];
    }
  }

  std::vector<std::int64_t> deck_E_;
};

Method make_random_method() {
  config::MethodInfo info;
  info.id = "random";
  info.title = "Random";
  info.summary = "every token draws its experts anew at each step: what a learned router must beat";
  info.paper = "control";
  info.traits.gates_sum_to_one = true;
  info.traits.router_learns = false;
  info.stages = {{"train", "Train", "experts learn, tokens draw"}};
  info.router = config::schema_of("moe.router", random_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  return method_with_router<RandomRouter>(std::move(info));
}

const RegisterMethod registered{make_random_method()};

}  // namespace
}  // namespace moescope::moe
