#include <set>

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::input_of;
using test::ToyLayer;
using test::ToyShape;

ToyLayer random_layer(int top_k, int num_experts = 5) {
  ToyShape shape;
  shape.num_experts = num_experts;
  shape.settings = {{"top_k", std::int64_t{top_k}}};
  return ToyLayer("random", shape);
}

at::Tensor choices(ToyLayer& toy, std::int64_t tokens, std::uint64_t seed, RouteMode mode = RouteMode::kTrain) {
  return toy.router().route(input_of(at::zeros({tokens, 4}), mode, seed)).sparse()->expert_N;
}

TEST(RandomRouter, DrawsWithoutReplacementAndSharesTheGate) {
  ToyLayer toy = random_layer(3);
  const SparseRouting sparse = *toy.router().route(input_of(at::zeros({200, 4}))).sparse();
  for (std::int64_t t = 0; t < 200; ++t) {
    std::set<std::int64_t> chosen;
    for (std::int64_t k = 0; k < 3; ++k) chosen.insert(sparse.expert_N[k * 200 + t].item<std::int64_t>());
    EXPECT_EQ(chosen.size(), 3u);
  }
  EXPECT_TRUE(test::close(sparse.gate_N, at::full({600}, 1. / 3), 1e-7));
}

TEST(RandomRouter, EveryExpertIsEquallyLikelyInEveryPlace) {
  ToyLayer toy = random_layer(2);
  const at::Tensor expert_KT = choices(toy, 20000, 3).reshape({2, 20000});
  for (std::int64_t k = 0; k < 2; ++k) {
    for (const std::int64_t load : test::integers(at::bincount(expert_KT[k], {}, 5))) {
      EXPECT_NEAR(static_cast<double>(load), 4000, 250);  // four deviations are 226
    }
  }
}

TEST(RandomRouter, ATokensDrawDependsOnSeedAndPlaceOnly) {
  ToyLayer toy = random_layer(1);
  const at::Tensor few_T = choices(toy, 50, 3);
  EXPECT_TRUE(at::equal(choices(toy, 90, 3).narrow(0, 0, 50), few_T));
  EXPECT_TRUE(at::equal(choices(toy, 50, 3, RouteMode::kEvaluate), few_T));
  EXPECT_TRUE(at::equal(choices(toy, 50, 3, RouteMode::kProbe), few_T));
  EXPECT_FALSE(at::equal(choices(toy, 50, 4), few_T));
}

TEST(RandomRouter, HasNoParametersAndNoScores) {
  ToyLayer toy = random_layer(1);
  EXPECT_TRUE(toy.router().parameters().empty());
  EXPECT_FALSE(toy.router().route(input_of(at::zeros({4, 4}))).scores_TE.defined());
}

}  // namespace
}  // namespace moescope::moe
