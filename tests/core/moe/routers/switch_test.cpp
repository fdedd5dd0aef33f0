#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

ToyLayer f1_switch(SettingMap settings = {}, double capacity_factor = 0) {
  ToyShape shape = test::f1::shape();
  settings["jitter"] = 0.0;
  shape.settings = settings;
  shape.capacity_factor = capacity_factor;
  return test::f1::layer("switch", shape);
}

TEST(SwitchRouter, FixtureF1OutputsAndBalanceLoss) {
  ToyLayer toy = f1_switch();
  const MoeOutput output = toy.layer->forward(test::f1::input());
  const at::Tensor expected_TD = test::matrix(
      {.665241, 0, 0, 1.086811, .568219, .284109, -1.207498, 2.414996, 1.733627, 0, -4.946107, 1.236527}, 6);
  EXPECT_TRUE(close(output.delta_TD, expected_TD, 1e-6));
  EXPECT_EQ(test::integers(output.record.load_E), (std::vector<std::int64_t>{3, 2, 1}));
  ASSERT_EQ(output.record.routing.losses.size(), 1u);
  EXPECT_NEAR(output.record.routing.losses[0].value.item<double>(), 1.058607, 1e-6);
  EXPECT_EQ(output.record.routing.losses[0].coefficient, 0.01);
}

TEST(SwitchRouter, FixtureF1InFp32TakesTheKernelAndAgrees) {
  ToyLayer toy = f1_switch();
  for (Parameter& one : toy.parameters.all()) one.tensor.set_data(one.tensor.detach().to(at::kFloat));
  const MoeOutput output = toy.layer->forward(input_of(test::f1::hidden_TD().to(at::kFloat)));
  EXPECT_NEAR(output.record.routing.losses[0].value.item<double>(), 1.058607, 1e-5);
  EXPECT_TRUE(close(output.delta_TD[5], test::matrix({-4.946107, 1.236527}, 0), 1e-5));
}

TEST(SwitchRouter, FixtureF1WithTwoSlotsDropsTokenFour) {
  ToyLayer toy = f1_switch({{"min_capacity", std::int64_t{1}}}, 1.0);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_EQ(output.record.capacity.slots, 2);
  EXPECT_EQ(test::integers(output.record.kept_N), (std::vector<std::int64_t>{1, 1, 1, 1, 0, 1}));
  EXPECT_EQ(test::integers(output.record.dropped_E), (std::vector<std::int64_t>{1, 0, 0}));
  EXPECT_EQ(test::numbers(output.delta_TD[4]), (std::vector<double>{0, 0}));
  EXPECT_NEAR(output.record.routing.losses[0].value.item<double>(), 1.058607, 1e-6) << "loads count before dropping";
}

TEST(SwitchRouter, FixtureF1ByProbabilityDropsTokenTwo) {
  ToyLayer toy = f1_switch({{"min_capacity", std::int64_t{1}}, {"drop", std::string("probability")}}, 1.0);
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_EQ(test::integers(output.record.routing.sparse()->token_N), (std::vector<std::int64_t>{4, 5, 0, 3, 2, 1}));
  EXPECT_EQ(test::integers(output.record.kept_N), (std::vector<std::int64_t>{1, 1, 1, 1, 0, 1}));
  EXPECT_EQ(test::numbers(output.delta_TD[2]), (std::vector<double>{0, 0}));
  EXPECT_TRUE(close(output.delta_TD[4], test::matrix({1.733627, 0}, 0), 1e-6));
  EXPECT_NEAR(output.record.routing.losses[0].value.item<double>(), 1.058607, 1e-6) << "whoever is dropped";
  ASSERT_EQ(toy.router().set("drop", std::string("position")), "");
  EXPECT_EQ(test::integers(toy.layer->forward(test::f1::input()).record.kept_N),
            (std::vector<std::int64_t>{1, 1, 1, 1, 0, 1}))
      << "token 4, which now stands fifth";
}

TEST(SwitchRouter, ByProbabilityEachGroupServesItsOwnTokens) {
  ToyShape shape;
  shape.capacity_factor = 0.5;
  shape.settings = {{"drop", std::string("probability")}, {"jitter", 0.0}, {"min_capacity", std::int64_t{1}}};
  ToyLayer toy("switch", shape);
  test::randomise(toy.parameters);
  const at::Tensor hidden_TD = test::draws({1500, 4}, 9);
  const MoeOutput output = toy.layer->forward(input_of(hidden_TD));
  const SparseRouting& sparse = *output.record.routing.sparse();
  const auto expert = test::integers(sparse.expert_N), kept = test::integers(output.record.kept_N);
  const auto token = test::integers(sparse.token_N);
  const auto gate = test::numbers(sparse.gate_N);
  double least_kept[2][3] = {{1, 1, 1}, {1, 1, 1}}, most_dropped[2][3] = {};
  for (std::size_t n = 0; n < 1500; ++n) {
    const std::size_t group = n / 750;
    EXPECT_EQ(static_cast<std::size_t>(token[n]) / 750, group);
    const auto e = static_cast<std::size_t>(expert[n]);
    if (kept[n] != 0) {
      least_kept[group][e] = std::min(least_kept[group][e], gate[n]);
    } else {
      most_dropped[group][e] = std::max(most_dropped[group][e], gate[n]);
    }
  }
  EXPECT_GT(output.record.dropped_E.sum().item<std::int64_t>(), 0);
  for (int g = 0; g < 2; ++g) {
    for (int e = 0; e < 3; ++e) EXPECT_LE(most_dropped[g][e], least_kept[g][e]);
  }
}

TEST(SwitchRouter, TheZLossIsThereWhenAskedFor) {
  ToyLayer toy = f1_switch({{"z_coefficient", 0.001}});
  const Routing routing = toy.router().route(test::f1::input());
  ASSERT_EQ(routing.losses.size(), 2u);
  EXPECT_EQ(routing.losses[1].name, "z");
  EXPECT_NEAR(routing.losses[1].value.item<double>(), 3.877026, 1e-6);
  EXPECT_EQ(routing.losses[1].coefficient, 0.001);
}

TEST(SwitchRouter, CapacityIsSharedOutPerGroup) {
  ToyShape shape;
  shape.num_experts = 8;
  shape.capacity_factor = 1.25;
  ToyLayer toy("switch", shape);
  const auto slots = [&](std::int64_t tokens, RouteMode mode) { return toy.router().capacity(tokens, mode).slots; };
  const auto group = [&](std::int64_t tokens) { return toy.router().capacity(tokens, RouteMode::kTrain).group_tokens; };
  EXPECT_EQ(slots(1024, RouteMode::kTrain), 160);
  EXPECT_EQ(slots(1024, RouteMode::kEvaluate), 256);
  EXPECT_EQ(slots(1024, RouteMode::kProbe), 0);
  EXPECT_EQ(slots(10, RouteMode::kTrain), 4);  // the minimum
  EXPECT_EQ(slots(2048, RouteMode::kTrain), 160);
  EXPECT_EQ(group(1024), 1024);
  EXPECT_EQ(group(2048), 1024);
  EXPECT_EQ(group(1500), 750);
  toy.router().set_capacity_factor(100);
  EXPECT_EQ(slots(1024, RouteMode::kTrain), 1024);
  toy.router().set_capacity_factor(0);
  EXPECT_EQ(slots(1024, RouteMode::kTrain), 0);
  EXPECT_EQ(slots(1024, RouteMode::kEvaluate), 0);
}

TEST(SwitchRouter, JitterTouchesScoresInTrainingOnlyAndExpertsSeeCleanHiddenStates) {
  ToyLayer toy("switch", ToyShape{});
  const at::Tensor hidden_TD = test::draws({50, 4}, 1);
  const auto scores_of = [&](RouteMode mode, std::uint64_t seed) {
    return toy.router().route(input_of(hidden_TD, mode, seed)).scores_TE;
  };
  const at::Tensor clean_TE = scores_of(RouteMode::kEvaluate, 1);
  EXPECT_TRUE(test::same_bits(scores_of(RouteMode::kProbe, 2), clean_TE));
  EXPECT_FALSE(test::same_bits(scores_of(RouteMode::kTrain, 1), clean_TE));
  EXPECT_FALSE(test::same_bits(scores_of(RouteMode::kTrain, 1), scores_of(RouteMode::kTrain, 2)));
  const at::Tensor bound_TE = 0.01 * hidden_TD.abs().mm(toy.parameter("moe.1.router.rows").detach().abs().t());
  EXPECT_TRUE((scores_of(RouteMode::kTrain, 1) - clean_TE).abs().le(bound_TE + 1e-6).all().item<bool>());

  const MoeOutput output = toy.layer->forward(input_of(hidden_TD, RouteMode::kTrain, 1));
  const SparseRouting& sparse = *output.record.routing.sparse();
  const at::Tensor ungated_TD = output.delta_TD / sparse.gate_N.unsqueeze(1);
  ASSERT_EQ(toy.router().set("jitter", 0.0), "");
  const MoeOutput quiet = toy.layer->forward(input_of(hidden_TD));
  const SparseRouting& quiet_sparse = *quiet.record.routing.sparse();
  const at::Tensor same_T = sparse.expert_N.eq(quiet_sparse.expert_N).unsqueeze(1);
  const at::Tensor quiet_TD = quiet.delta_TD / quiet_sparse.gate_N.unsqueeze(1);
  EXPECT_TRUE(close(ungated_TD * same_T, quiet_TD * same_T, 1e-5));
}

TEST(SwitchRouter, RowsStartAsATruncatedNormalOfScaleOneTenth) {
  ToyShape shape;
  shape.d_model = 64;
  shape.num_experts = 64;
  const at::Tensor rows_ER = ToyLayer("switch", shape).parameter("moe.1.router.rows");
  const double deviation = std::sqrt(0.1 / 64);
  EXPECT_LE(rows_ER.abs().max().item<double>(), 2 * deviation + 1e-6);
  EXPECT_NEAR(rows_ER.std().item<double>(), 0.8796 * deviation, 0.05 * deviation);
}

TEST(SwitchRouter, TaskAndBalanceReachTheRowsAndCountsDoNot) {
  ToyLayer task = f1_switch();
  task.layer->forward(test::f1::input()).delta_TD.sum().backward();
  EXPECT_GT(task.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);

  ToyLayer balance = f1_switch();
  balance.layer->forward(test::f1::input()).record.routing.losses[0].value.backward();
  // With f constant: ∂L/∂s_tj = N/T · p_tj (f_j − Σ_i f_i p_ti).
  const at::Tensor probs_TE = at::softmax(test::f1::scores_TE(), 1);
  const at::Tensor share_E = test::matrix({3. / 6, 2. / 6, 1. / 6}, 0);
  const at::Tensor grad_TE = 3. / 6 * probs_TE * (share_E - (probs_TE * share_E).sum(1, true));
  EXPECT_TRUE(close(balance.gradient("moe.1.router.rows"), grad_TE.t().mm(test::f1::hidden_TD()), 1e-12));
}

TEST(SwitchRouter, ADroppedTokenGivesItsGateAndItsExpertNoGradient) {
  ToyLayer toy = f1_switch({{"min_capacity", std::int64_t{1}}}, 1.0);
  const at::Tensor hidden_TD = test::f1::hidden_TD().requires_grad_();
  const MoeOutput output = toy.layer->forward(input_of(hidden_TD));
  output.delta_TD.sum().backward();
  EXPECT_EQ(hidden_TD.grad()[4].abs().sum().item<double>(), 0);
  EXPECT_GT(hidden_TD.grad()[2].abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace moescope::moe
