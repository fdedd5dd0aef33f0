// Hash layers (Roller et al., NeurIPS 2021): the token's id decides, by a table that never changes. Balanced tables
// give the most frequent ids away first, each to the expert with the least load so far.

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/base/assert.h"
#include "core/base/seed.h"
#include "core/moe/router_base.h"

namespace moescope::moe {
namespace {

struct HashConfig {
  std::string kind = "balanced";
};

config::FieldList<HashConfig> hash_fields() {
  return {
      config::field(&HashConfig::kind, "kind",
                    "balanced: by frequency in the training text; random: any; bigram: by the token and the one before")
          .choices({"balanced", "random", "bigram"})};
}

/// Ids by falling frequency, among equals the lower first; each to the least loaded expert, among equals the lowest.
std::vector<std::int64_t> balanced_table(const std::vector<std::int64_t>& count_V, std::int64_t num_experts) {
  std::vector<std::size_t> order(count_V.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return count_V[a] > count_V[b]; });
  std::vector<std::int64_t> load_E(static_cast<std::size_t>(num_experts), 0), table_V(count_V.size(), 0);
  for (const std::size_t id : order) {
    const auto least = std::min_element(load_E.begin(), load_E.end());
    table_V[id] = least - load_E.begin();
    *least += count_V[id];
  }
  return table_V;
}

/// Any expert for each id. Layers differ, as their prefixes do.
std::vector<std::int64_t> random_table(std::uint64_t seed, std::int64_t vocab_size, std::int64_t num_experts) {
  SeededWords words(seed);
  std::vector<std::int64_t> table_V;
  for (std::int64_t id = 0; id < vocab_size; ++id) {
    table_V.push_back(static_cast<std::int64_t>(words.below(static_cast<std::uint64_t>(num_experts))));
  }
  return table_V;
}

class HashRouter : public RouterBase<HashConfig> {
 public:
  HashRouter(const RouterContext& context, ParameterSet&)
      : RouterBase(context, hash_fields()), seed_(derive_seed(context.seed, "hash " + context.prefix)) {
    if (config_.kind == "bigram") return;  // pairs are too many for a table
    // Without a text every id counts alike, which deals them out in turn.
    const std::vector<std::int64_t> alike(static_cast<std::size_t>(context.vocab_size), 1);
    const std::vector<std::int64_t> expert_V =
        config_.kind == "random" ? random_table(seed_, context.vocab_size, num_experts_)
                                 : balanced_table(context.token_count_V ? *context.token_count_V : alike, num_experts_);
    MOESCOPE_ASSERT(expert_V.size() == alike.size(), "one count for each id of the vocabulary");
    table_V_ = at::empty({context.vocab_size}, at::kLong);
    std::copy(expert_V.begin(), expert_V.end(), table_V_.mutable_data_ptr<std::int64_t>());
    keep_state("table", table_V_);
  }

  Routing route(const RouterInput& input) override {
    const at::Tensor expert_T =
        config_.kind == "bigram" ? by_bigram(input) : table_V_.index_select(0, token_id_T(input));
    Routing routing;
    routing.assignment =
        token_choice(expert_T.unsqueeze(1), at::ones({input.hidden_TD.size(0), 1}, input.hidden_TD.options()));
    return routing;
  }

 private:
  /// The first token of a sequence follows nothing, which is a word of its own.
  at::Tensor by_bigram(const RouterInput& input) const {
    const std::int64_t L = std::max<std::int64_t>(1, input.token_id_BL.size(1));
    const at::Tensor id_T = token_id_T(input).contiguous(), cell_T = cells_T(input).contiguous();
    const at::Tensor flat = input.token_id_BL.reshape({-1}).contiguous();
    const at::Tensor expert_T = at::empty_like(id_T);
    for (std::int64_t t = 0; t < id_T.numel(); ++t) {
      const std::int64_t cell = cell_T.const_data_ptr<std::int64_t>()[t];
      const std::int64_t before = cell % L == 0 ? -1 : flat.const_data_ptr<std::int64_t>()[cell - 1];
      const std::uint64_t hash = derive_seed(seed_, "bigram", static_cast<std::uint64_t>(before + 1),
                                             static_cast<std::uint64_t>(id_T.const_data_ptr<std::int64_t>()[t]));
      expert_T.mutable_data_ptr<std::int64_t>()[t] =
          static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(num_experts_));
    }
    return expert_T;
  }

  std::uint64_t seed_;
  at::Tensor table_V_;  ///< undefined for bigrams
};

Method make_hash_method() {
  config::MethodInfo info;
  info.id = "hash";
  info.title = "Hash";
  info.summary = "a fixed table sends each token id to one expert";
  info.paper = "Roller et al., NeurIPS 2021";
  info.traits.gates_sum_to_one = true;
  info.traits.order_independent = true;
  info.traits.router_learns = false;
  info.stages = {{"train", "Train", "experts learn; the table never changes"}};
  info.router = config::schema_of("moe.router", hash_fields());
  info.defaults = {{"moe.placement", std::string("ffn")}};
  return method_with_router<HashRouter>(std::move(info));
}

const RegisterMethod registered{make_hash_method()};

}  // namespace
}  // namespace moescope::moe
