#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

ToyLayer f1_gshard(const std::string& second_policy, SettingMap settings = {}, double capacity_factor = 0) {
  ToyShape shape = test::f1::shape();
  settings["second_policy"] = second_policy;
  shape.settings = settings;
  shape.capacity_factor = capacity_factor;
  return test::f1::layer("gshard", shape);
}

std::vector<std::int64_t> kept(const MoeOutput& output) { return test::integers(output.record.kept_N); }

TEST(GshardRouter, FixtureF1KeepsEverySecondChoiceUnderPolicyAll) {
  ToyLayer toy = f1_gshard("all");
  test::f1::expect_two_best(toy);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_NEAR(test::loss_of(output.record.routing, "balance").value.item<double>(), 1.058607, 1e-6)
      << "first choices are Switch's";
  EXPECT_EQ(test::loss_of(output.record.routing, "balance").coefficient, 0.01);
}

TEST(GshardRouter, ASecondChoiceStaysIfTheDrawLiesBelowTwiceItsGate) {
  ToyLayer toy = f1_gshard("random");
  GivenDraws draws;  // twice the second gates: .537882 .641642 .755082 .755082 .238406 .329032
  draws.by_name["second"] = test::matrix({.53, .65, .75, .76, .23, .33}, 0);
  RouterInput input = test::f1::input();
  input.draws = &draws;
  const MoeOutput output = toy.layer->forward(input);
  const SparseRouting& sparse = *output.record.routing.sparse();
  EXPECT_EQ(test::integers(sparse.token_N), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 0, 2, 4}));
  EXPECT_EQ(test::integers(sparse.expert_N), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 2, 1, 1, 1}));
  EXPECT_EQ(sparse.choices_per_token, 0);
  EXPECT_EQ(test::integers(output.record.load_E), (std::vector<std::int64_t>{3, 5, 1})) << "no load without a choice";
  EXPECT_TRUE(close(sparse.gate_N[1], test::matrix({.679179}, 0)[0], 1e-6)) << "its gate was renormalised over both";
  EXPECT_TRUE(close(output.delta_TD[1], test::matrix({0, 2 * .679179}, 0), 1e-6));
}

TEST(GshardRouter, SecondChoicesAreKeptAsOftenAsSaid) {
  ToyLayer toy = f1_gshard("random");
  at::Tensor count_T = at::zeros({6}, at::kDouble);
  constexpr int kDraws = 4000;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    const SparseRouting sparse = *toy.router().route(input_of(test::f1::hidden_TD(), RouteMode::kTrain, seed)).sparse();
    count_T.index_add_(0, sparse.token_N, at::ones({sparse.token_N.numel()}, at::kDouble));
  }
  const at::Tensor expected_T = test::matrix({.537882, .641642, .755082, .755082, .238406, .329032}, 0);
  EXPECT_TRUE(close(count_T / kDraws - 1, expected_T, 0.035));  // 4.5 standard deviations
}

TEST(GshardRouter, ChanceIsForTrainingOnly) {
  ToyLayer toy = f1_gshard("random");
  test::f1::expect_two_best(toy, RouteMode::kEvaluate);
  test::f1::expect_two_best(toy, RouteMode::kProbe);
}

TEST(GshardRouter, AllFirstChoicesFindTheirSlotsBeforeAnySecondOne) {
  ToyLayer toy = f1_gshard("all", {}, 1.0);  // four slots; expert 1 is asked for by six
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_EQ(output.record.capacity.slots, 4);
  EXPECT_EQ(kept(output), (std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(test::integers(output.record.dropped_E), (std::vector<std::int64_t>{0, 2, 0}));
  EXPECT_TRUE(close(output.delta_TD[4], test::matrix({2 * .880797, 0}, 0), 1e-6)) << "its gate does not grow";
}

TEST(GshardRouter, ByProbabilityTheSurestTokensKeepTheirSecondChoice) {
  ToyLayer toy = f1_gshard("all", {{"drop", std::string("probability")}}, 1.0);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  // p_max falls as tokens 4 5 0 3 2 1, first in the run of first choices, then again in that of second ones.
  EXPECT_EQ(test::integers(output.record.routing.sparse()->token_N),
            (std::vector<std::int64_t>{4, 5, 0, 3, 2, 1, 4, 5, 0, 3, 2, 1}));
  EXPECT_EQ(kept(output), (std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1}));
  EXPECT_TRUE(close(output.delta_TD[4], test::f1::two_outputs_TD()[4], 1e-6));
  EXPECT_TRUE(close(output.delta_TD[0], test::matrix({.731059, 0}, 0), 1e-6));
  EXPECT_NEAR(test::loss_of(output.record.routing, "balance").value.item<double>(), 1.058607, 1e-6);
}

TEST(GshardRouter, WithoutALimitThePolicyChangesNothing) {
  ToyLayer toy = f1_gshard("all", {{"drop", std::string("probability")}});
  test::f1::expect_two_best(toy);
  ToyLayer tight = f1_gshard("all", {{"drop", std::string("probability")}}, 1.0);
  test::f1::expect_two_best(tight, RouteMode::kProbe);
}

TEST(GshardRouter, TheBalanceLossTakesFirstChoicesAsConstants) {
  ToyLayer toy = f1_gshard("random");
  test::loss_of(toy.layer->forward(test::f1::input()).record.routing, "balance").value.backward();
  const at::Tensor probs_TE = at::softmax(test::f1::scores_TE(), 1);
  const at::Tensor share_E = test::matrix({3. / 6, 2. / 6, 1. / 6}, 0);
  const at::Tensor grad_TE = 3. / 6 * probs_TE * (share_E - (probs_TE * share_E).sum(1, true));
  EXPECT_TRUE(close(toy.gradient("moe.1.router.rows"), grad_TE.t().mm(test::f1::hidden_TD()), 1e-12));
}

TEST(GshardRouter, TheTaskReachesTheRowsThroughBothGates) {
  ToyLayer toy = f1_gshard("all");
  toy.layer->forward(test::f1::input()).delta_TD.sum().backward();
  EXPECT_GT(toy.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);
}

TEST(GshardRouter, OneExpertIsChosenOnceWithGateOne) {
  ToyShape shape;
  shape.num_experts = 1;
  ToyLayer toy("gshard", shape);
  const SparseRouting sparse = *toy.router().route(input_of(test::draws({5, 4}, 1))).sparse();
  EXPECT_EQ(sparse.choices_per_token, 1);
  EXPECT_TRUE(sparse.gate_N.eq(1).all().item<bool>());
}

TEST(GshardChecks, OneExpertIsPointedAt) {
  EXPECT_EQ(test::said_of("[moe]\nmethod = \"gshard\"\nnum_experts = 1\n"),
            "warning: 'num_experts' is 1: the router has nothing to choose\n"
            "hint: method = \"dense\" trains one expert without a router\n");
}

}  // namespace
}  // namespace moescope::moe
