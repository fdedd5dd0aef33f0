#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::input_of;

using Integers = std::vector<std::int64_t>;

/// A router with a frequency table and a seed, which a toy layer has not.
struct HashRouter {
  ParameterSet parameters{7};
  std::unique_ptr<Router> router;

  HashRouter(const std::string& kind, int vocab_size, int num_experts, Integers count_V = {}, std::uint64_t seed = 7,
             const std::string& prefix = "moe.1.router") {
    RouterContext context;
    context.prefix = prefix;
    context.d_model = 4;
    context.num_experts = num_experts;
    context.vocab_size = vocab_size;
    context.settings = {{"kind", kind}};
    context.seed = seed;
    if (!count_V.empty()) context.token_count_V = std::make_shared<const Integers>(std::move(count_V));
    router = find_method("hash")->make_router(context, parameters);
  }
  Integers experts(const at::Tensor& token_id_BL, const at::Tensor& cell_T = {}) const {
    const std::int64_t tokens = cell_T.defined() ? cell_T.numel() : token_id_BL.numel();
    RouterInput input{test::draws({tokens, 4}, 1), token_id_BL};
    input.cell_T = cell_T;
    return test::integers(router->route(input).sparse()->expert_N);
  }
  Integers table() const { return test::integers(router->state().at(0).tensor); }
};

at::Tensor ids(const Integers& values, std::int64_t sequences = 1) {
  return at::tensor(values, at::kLong).reshape({sequences, -1});
}

TEST(HashRouter, FrequentIdsGoToTheLeastLoadedExpert) {
  const HashRouter hash("balanced", 6, 3, {50, 30, 20, 15, 10, 5});
  EXPECT_EQ(hash.table(), (Integers{0, 1, 2, 2, 1, 2}));
  EXPECT_EQ(hash.experts(ids({5, 4, 3, 2, 1, 0, 0})), (Integers{2, 1, 2, 2, 1, 0, 0}));
}

TEST(HashRouter, IdsAreTakenByFrequencyAndTiesByNumber) {
  const HashRouter hash("balanced", 6, 3, {5, 15, 50, 15, 30, 5});
  // 50 → 0, 30 → 1, the first 15 → 2, the second 15 → 2 (15 < 30), then both 5s: 30, 30 and 50 are a tie, lowest first.
  EXPECT_EQ(hash.table(), (Integers{1, 2, 0, 2, 1, 2}));
}

TEST(HashRouter, WithoutCountsIdsAreDealtOutInTurn) {
  EXPECT_EQ(HashRouter("balanced", 7, 3).table(), (Integers{0, 1, 2, 0, 1, 2, 0}));
}

TEST(HashRouter, RandomTablesFollowTheSeedAndDifferByLayer) {
  const Integers table = HashRouter("random", 3000, 3).table();
  EXPECT_EQ(HashRouter("random", 3000, 3).table(), table);
  EXPECT_NE(HashRouter("random", 3000, 3, {}, 8).table(), table);
  EXPECT_NE(HashRouter("random", 3000, 3, {}, 7, "moe.2.router").table(), table);
  const double spread = std::sqrt(3000. * 1 / 3 * 2 / 3);
  for (const std::int64_t expert : {0, 1, 2}) {
    EXPECT_NEAR(static_cast<double>(std::count(table.begin(), table.end(), expert)), 1000, 5 * spread) << expert;
  }
}

TEST(HashRouter, BigramsGoByTheTokenAndTheOneBefore) {
  const HashRouter hash("bigram", 50, 64);
  const Integers experts = hash.experts(ids({3, 4, 3, 4, 9, 4, 3, 9}, 2));  // 3 4 3 4 · 9 4 3 9
  EXPECT_EQ(experts[1], experts[3]) << "4 after 3, twice";
  EXPECT_EQ(experts[2], experts[6]) << "3 after 4, in both sequences";
  EXPECT_NE(experts[1], experts[5]) << "4 after 3, and after 9";
  EXPECT_NE(experts[0], experts[2]) << "3 at the start, and after 4";
  EXPECT_TRUE(hash.router->state().empty()) << "pairs have no table";
  const Integers real = hash.experts(ids({3, 4, 0, 0, 9, 4, 3, 0}, 2), at::tensor({0, 1, 4, 5, 6}, at::kLong));
  EXPECT_EQ(real, (Integers{experts[0], experts[1], experts[4], experts[5], experts[6]})) << "beside padding";
}

TEST(HashRouter, BigramsSpreadOverTheExperts) {
  const HashRouter hash("bigram", 4000, 3);
  const at::Tensor token_id_BL = at::arange(3000, at::kLong).reshape({1, 3000});
  const Integers experts = hash.experts(token_id_BL);
  const double spread = std::sqrt(3000. * 1 / 3 * 2 / 3);
  for (const std::int64_t expert : {0, 1, 2}) {
    EXPECT_NEAR(static_cast<double>(std::count(experts.begin(), experts.end(), expert)), 1000, 5 * spread) << expert;
  }
}

TEST(HashRouter, TheTableIsStateAndGatesAreOne) {
  HashRouter hash("balanced", 7, 3);
  ASSERT_EQ(hash.router->restore("table", at::full({7}, 2, at::kLong)), "");
  EXPECT_EQ(hash.experts(ids({0, 3, 6})), (Integers{2, 2, 2}));
  const Routing routing = hash.router->route(input_of(test::draws({5, 4}, 1)));
  EXPECT_TRUE(routing.sparse()->gate_N.eq(1).all().item<bool>());
  EXPECT_FALSE(routing.scores_TE.defined());
  EXPECT_TRUE(hash.router->parameters().empty());
}

TEST(HashRouter, AnExpertWithoutTokensGetsNoGradient) {
  test::ToyLayer toy("hash", test::ToyShape{});
  // Ids 0 and 1: experts 0 and 1.
  toy.layer->forward({test::draws({6, 4}, 1), ids({0, 1, 0, 1, 1, 0}), RouteMode::kTrain}).delta_TD.sum().backward();
  EXPECT_GT(toy.gradient("moe.1.expert.0.w2").abs().sum().item<double>(), 0);
  EXPECT_GT(toy.gradient("moe.1.expert.1.w2").abs().sum().item<double>(), 0);
  EXPECT_FALSE(toy.gradient("moe.1.expert.2.w2").defined());
}

}  // namespace
}  // namespace moescope::moe
