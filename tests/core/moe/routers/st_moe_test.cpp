#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::ToyLayer;
using test::ToyShape;

TEST(StMoeRouter, FixtureF1OutputsAndBothLosses) {
  ToyLayer toy = test::f1::layer("st_moe");
  test::f1::expect_two_best(toy);
  const Routing routing = toy.router().route(test::f1::input());
  EXPECT_NEAR(test::loss_of(routing, "z").value.item<double>(), 3.877026, 1e-6);
  EXPECT_EQ(test::loss_of(routing, "z").coefficient, 0.001);
  EXPECT_NEAR(test::loss_of(routing, "balance").value.item<double>(), 1.058607, 1e-6);
  EXPECT_EQ(test::loss_of(routing, "balance").coefficient, 0.01);
  EXPECT_TRUE(toy.router().route(test::f1::input(RouteMode::kEvaluate)).losses.empty());
}

TEST(StMoeRouter, TheZLossShrinksScores) {
  ToyLayer toy = test::f1::layer("st_moe");
  test::loss_of(toy.router().route(test::f1::input()), "z").value.backward();
  const at::Tensor scores_TE = test::f1::scores_TE();
  const at::Tensor log_T1 = at::logsumexp(scores_TE, 1, true);
  const at::Tensor grad_TE = 2. / 6 * log_T1 * at::softmax(scores_TE, 1);
  EXPECT_TRUE(close(toy.gradient("moe.1.router.rows"), grad_TE.t().mm(test::f1::hidden_TD()), 1e-12));
}

TEST(StMoeRouter, EverySecondChoiceIsKeptWithinCapacity) {
  ToyShape shape = test::f1::shape();
  shape.capacity_factor = 1;
  ToyLayer toy = test::f1::layer("st_moe", shape);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_EQ(test::integers(output.record.kept_N), (std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(toy.router().capacity(6, RouteMode::kEvaluate).slots, 8);
}

}  // namespace
}  // namespace moescope::moe
