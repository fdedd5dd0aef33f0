#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::overwrite;
using test::ToyLayer;
using test::ToyShape;

ToyShape with(test::SettingMap settings) {
  ToyShape shape;
  shape.settings = std::move(settings);
  return shape;
}

TEST(SmoeRouter, GatesAreASoftmaxOverTheChosenScores) {
  ToyShape shape = test::f1::shape();
  ToyLayer toy = test::f1::layer("smoe", shape);
  const Routing routing = toy.router().route(test::f1::input());
  const SparseRouting& sparse = *routing.sparse();
  EXPECT_EQ(test::integers(sparse.expert_N), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 2, 1, 2, 1, 2, 1, 1}));
  const at::Tensor first_T = at::sigmoid(test::matrix({1, .75, .5, .5, 2, 1.625}, 0));  // of the score differences
  EXPECT_TRUE(close(sparse.gate_N, at::cat({first_T, 1 - first_T}), 1e-12));
  EXPECT_EQ(sparse.choices_per_token, 2);
}

TEST(SmoeRouter, TheBiasTakesPartInTheChoice) {
  ToyLayer toy = test::f1::layer("smoe", test::f1::shape());
  overwrite(toy.parameter("moe.1.router.bias"), test::matrix({0, 0, 100}, 0));
  const SparseRouting sparse = *toy.router().route(test::f1::input()).sparse();
  EXPECT_TRUE(sparse.expert_N.narrow(0, 0, 6).eq(2).all().item<bool>());
}

TEST(SmoeRouter, StatisticsAreOverAllExperts) {
  ToyLayer toy = test::f1::layer("smoe", test::f1::shape());
  const Routing routing = toy.router().route(test::f1::input());
  EXPECT_NEAR(routing.entropy_T.mean().item<double>(), .744417, 1e-6);
  EXPECT_NEAR(routing.margin_T.mean().item<double>(), .429982, 1e-6);
}

TEST(SmoeRouter, OneChoiceGivesTheRouterNoGradientFromTheTask) {
  ToyLayer toy("smoe", with({{"top_k", std::int64_t{1}}}));
  test::randomise(toy.parameters);
  toy.layer->forward(input_of(test::draws({9, 4}, 1))).delta_TD.pow(2).sum().backward();
  EXPECT_EQ(toy.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);
  ASSERT_EQ(toy.router().set("top_k", std::int64_t{2}), "");
  toy.layer->forward(input_of(test::draws({9, 4}, 1))).delta_TD.pow(2).sum().backward();
  EXPECT_GT(toy.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);
}

TEST(SmoeRouter, BalanceIsReportedWhenOffAndTrainsWhenOn) {
  ToyLayer toy("smoe", with({}));
  const auto balance = [&] { return toy.router().route(input_of(test::draws({9, 4}, 1))).losses.at(0); };
  EXPECT_EQ(balance().coefficient, 0);
  EXPECT_FALSE(balance().value.requires_grad());
  const double before = balance().value.item<double>();
  ASSERT_EQ(toy.router().set("balance_coefficient", 0.5), "");
  EXPECT_EQ(balance().coefficient, 0.5);
  EXPECT_TRUE(balance().value.requires_grad());
  EXPECT_EQ(balance().value.item<double>(), before);
}

TEST(SmoeRouter, KIsFreeAtEvaluationAndNowhereElse) {
  ToyLayer toy("smoe", with({{"eval_top_k", std::int64_t{3}}}));
  const auto routed = [&](RouteMode mode) {
    return *toy.router().route(input_of(test::draws({9, 4}, 1), mode)).sparse();
  };
  EXPECT_EQ(routed(RouteMode::kTrain).choices_per_token, 2);
  EXPECT_EQ(routed(RouteMode::kProbe).choices_per_token, 2);
  EXPECT_EQ(routed(RouteMode::kEvaluate).choices_per_token, 3);
  EXPECT_EQ(toy.router().top_k(), 2);
  EXPECT_EQ(toy.router().set("eval_top_k", std::int64_t{4}), "'eval_top_k' is 4, but this layer has 3 experts");
  ASSERT_EQ(toy.router().set("eval_top_k", std::int64_t{0}), "");
  EXPECT_EQ(routed(RouteMode::kEvaluate).choices_per_token, 2);
}

TEST(SmoeRouter, NeverDrops) {
  ToyShape shape;
  shape.capacity_factor = 0.5;
  ToyLayer toy("smoe", shape);
  EXPECT_EQ(toy.layer->forward(input_of(test::draws({30, 4}, 1))).record.dropped_E.sum().item<std::int64_t>(), 0);
}

}  // namespace
}  // namespace moescope::moe
