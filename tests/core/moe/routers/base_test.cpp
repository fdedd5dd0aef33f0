#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::ToyLayer;
using test::ToyShape;

using Integers = std::vector<std::int64_t>;

ToyLayer f1_base() { return test::f1::layer("base"); }

Integers experts_of(ToyLayer& toy, const RouterInput& input) {
  return test::integers(toy.router().route(input).sparse()->expert_N);
}

TEST(BaseRouter, FixtureF1IsAssignedInEqualShares) {
  ToyLayer toy = f1_base();
  const MoeOutput output = toy.layer->forward(test::f1::input());
  const SparseRouting& sparse = *output.record.routing.sparse();
  EXPECT_EQ(test::integers(sparse.expert_N), (Integers{0, 1, 1, 2, 0, 2}));
  const at::Tensor chosen_T = test::f1::scores_TE().gather(1, sparse.expert_N.unsqueeze(1)).squeeze(1);
  EXPECT_NEAR(chosen_T.sum().item<double>(), 8.125, 1e-12);
  EXPECT_TRUE(close(sparse.gate_N, at::sigmoid(chosen_T), 1e-12));
  const at::Tensor scale_T = at::sigmoid(chosen_T) * test::matrix({1, 2, 2, 3, 1, 3}, 0);
  EXPECT_TRUE(close(output.delta_TD, test::f1::hidden_TD() * scale_T.unsqueeze(1), 1e-12));
  EXPECT_EQ(test::integers(output.record.load_E), (Integers{2, 2, 2}));
  EXPECT_TRUE(output.record.routing.losses.empty());
}

TEST(BaseRouter, EvaluationIsGreedyAndTheProbeIsNot) {
  ToyLayer toy = f1_base();
  EXPECT_EQ(experts_of(toy, test::f1::input(RouteMode::kEvaluate)), (Integers{0, 1, 0, 1, 0, 2}));
  EXPECT_EQ(experts_of(toy, test::f1::input(RouteMode::kProbe)), (Integers{0, 1, 1, 2, 0, 2}));
}

TEST(BaseRouter, SharesDifferByOneWhereTheBatchDoesNotDivide) {
  ToyLayer toy("base", ToyShape{});
  test::randomise(toy.parameters);
  for (const std::int64_t tokens : {1, 2, 4, 7, 29}) {
    const at::Tensor load_E = toy.layer->forward(test::input_of(test::draws({tokens, 4}, 3))).record.load_E;
    EXPECT_EQ(load_E.min().item<std::int64_t>(), tokens / 3);
    EXPECT_EQ(load_E.max().item<std::int64_t>(), (tokens + 2) / 3);
  }
}

TEST(BaseRouter, EqualScoresAreSharedOutAllTheSame) {
  ToyLayer toy("base", ToyShape{});
  toy.parameter("moe.1.router.rows").detach().zero_();
  const MoeOutput output = toy.layer->forward(test::input_of(test::draws({9, 4}, 3)));
  EXPECT_EQ(test::integers(output.record.load_E), (Integers{3, 3, 3}));
}

TEST(BaseRouter, RowsLearnByTheGateOfTheAssignedExpertAlone) {
  ToyLayer toy = f1_base();
  toy.layer->forward(test::f1::input()).delta_TD.sum().backward();
  // ∂Σy/∂row_a = Σ_{t at a} (a+1)·(Σ_d h_d)·σ'(s)·h.
  const at::Tensor expert_T = at::tensor({0, 1, 1, 2, 0, 2}, at::kLong);
  const at::Tensor score_T = test::f1::scores_TE().gather(1, expert_T.unsqueeze(1)).squeeze(1);
  const at::Tensor slope_T = at::sigmoid(score_T) * (1 - at::sigmoid(score_T));
  const at::Tensor weight_T = slope_T * (expert_T + 1) * test::f1::hidden_TD().sum(1);
  const at::Tensor expected_ED =
      at::zeros({3, 2}, at::kDouble).index_add(0, expert_T, weight_T.unsqueeze(1) * test::f1::hidden_TD());
  EXPECT_TRUE(close(toy.gradient("moe.1.router.rows"), expected_ED, 1e-12));
}

TEST(BaseRouter, APinnedChoiceComesBeforeBalance) {
  ToyLayer toy = f1_base();
  ASSERT_TRUE(toy.router().adopt_table(at::tensor({2, 1, 0}, at::kLong).repeat({7, 1})));
  RouterControls controls;
  controls.pinned = true;
  toy.router().apply(controls);
  EXPECT_EQ(experts_of(toy, test::f1::input()), Integers(6, 2));
}

}  // namespace
}  // namespace moescope::moe
