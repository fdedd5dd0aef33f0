#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::overwrite;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

ToyLayer f1_loss_free(SettingMap settings = {}) {
  ToyShape shape = test::f1::shape();
  shape.settings = std::move(settings);
  return test::f1::layer("loss_free", shape);
}

at::Tensor bias_of(ToyLayer& toy) {
  for (const NamedTensor& one : toy.router().state()) {
    if (one.name == "balance_bias") return one.tensor;
  }
  ADD_FAILURE() << "no bias";
  return {};
}

/// One step's record with the layer's own loads.
void after_step(ToyLayer& toy) {
  std::vector<LayerRecord> records;
  records.push_back(toy.layer->forward(test::f1::input()).record);
  toy.router().after_step(records, 0);
}

TEST(LossFreeRouter, FixtureF1CountsAndSigns) {
  ToyLayer toy = f1_loss_free();
  EXPECT_EQ(test::integers(toy.layer->forward(test::f1::input()).record.load_E), (std::vector<std::int64_t>{3, 6, 3}));
  after_step(toy);
  EXPECT_TRUE(close(bias_of(toy), test::matrix({.001, -.001, .001}, 0), 1e-9));
}

TEST(LossFreeRouter, FixtureF1TheBiasChoosesAndNeverWeighs) {
  ToyLayer toy = f1_loss_free();
  overwrite(bias_of(toy), test::matrix({-.3, 0, .3}, 0).to(at::kFloat));
  const MoeOutput output = toy.layer->forward(test::f1::input());
  const SparseRouting& sparse = *output.record.routing.sparse();
  const at::Tensor set_TK = std::get<0>(sparse.expert_N.reshape({2, 6}).t().sort(1));
  EXPECT_EQ(test::integers(set_TK), (std::vector<std::int64_t>{1, 2, 1, 2, 1, 2, 1, 2, 0, 1, 1, 2}));
  EXPECT_EQ(test::integers(output.record.load_E), (std::vector<std::int64_t>{1, 6, 5}));
  EXPECT_EQ(sparse.expert_N[0].item<std::int64_t>(), 2);
  EXPECT_NEAR(sparse.gate_N[0].item<double>(), .349755, 1e-6);
  EXPECT_NEAR(sparse.gate_N[6].item<double>(), .650245, 1e-6);
}

TEST(LossFreeRouter, TheProportionalRuleMovesByTheShareMissing) {
  ToyLayer toy = f1_loss_free({{"bias_rule", std::string("proportional")}, {"bias_rate", 0.1}});
  after_step(toy);  // loads 3, 6, 3 against 4
  EXPECT_TRUE(close(bias_of(toy), test::matrix({.025, -.05, .025}, 0), 1e-7));
}

TEST(LossFreeRouter, AnEvenLoadMovesNothing) {
  ToyLayer toy = f1_loss_free({{"top_k", std::int64_t{3}}});
  after_step(toy);
  EXPECT_EQ(bias_of(toy).abs().sum().item<double>(), 0);
}

TEST(LossFreeRouter, AFrozenOrPinnedRouterHoldsItsBias) {
  ToyLayer toy = f1_loss_free();
  toy.router().apply({0, true, false});
  after_step(toy);
  toy.router().apply({0, false, true});
  after_step(toy);
  EXPECT_EQ(bias_of(toy).abs().sum().item<double>(), 0);
  toy.router().apply({});
  after_step(toy);
  EXPECT_GT(bias_of(toy).abs().sum().item<double>(), 0);
}

TEST(LossFreeRouter, TheBiasIsStateAndNoParameter) {
  ToyLayer toy = f1_loss_free();
  EXPECT_FALSE(bias_of(toy).requires_grad());
  for (const Parameter& one : toy.parameters.all()) EXPECT_EQ(one.name.find("bias"), std::string::npos) << one.name;
  EXPECT_EQ(toy.router().restore("balance_bias", test::matrix({1, 2, 3}, 0)), "");
  EXPECT_EQ(test::numbers(bias_of(toy)), (std::vector<double>{1, 2, 3}));
}

TEST(LossFreeRouter, LoadsEvenOutWithoutAnyGradient) {
  // Nothing learns here but the bias, from one batch over and over.
  ToyShape shape;
  shape.settings = {{"bias_rate", 0.01}};
  ToyLayer toy("loss_free", shape);
  test::randomise(toy.parameters);
  const at::Tensor hidden_TD = test::draws({300, 4}, 6) + 0.5;
  const auto violation = [&] {
    std::vector<LayerRecord> records;
    records.push_back(toy.layer->forward(input_of(hidden_TD)).record);
    toy.router().after_step(records, 0);
    return records[0].load_E.max().item<double>() / 200 - 1;
  };
  const double before = violation();
  for (int step = 0; step < 200; ++step) violation();
  EXPECT_GT(before, 0.2);
  EXPECT_LT(violation(), 0.1);
}

TEST(LossFreeRouter, TheTaskReachesTheRowsThroughTheGates) {
  ToyLayer toy = f1_loss_free();
  toy.layer->forward(test::f1::input()).delta_TD.sum().backward();
  EXPECT_GT(toy.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);
}

TEST(LossFreeRouter, GatesAreScaledAndMayBeLeftRaw) {
  ToyLayer toy = f1_loss_free({{"route_scale", 2.5}, {"normalised", false}});
  const at::Tensor open_N = at::sigmoid(test::matrix({1, 1, 1, 2, 2, 2.125, 0, .25, .5, 1.5, 0, .5}, 0));
  EXPECT_TRUE(close(toy.router().route(test::f1::input()).sparse()->gate_N, 2.5 * open_N, 1e-12));
}

/// Four experts in two groups whose scores are the tokens' own coordinates.
ToyLayer grouped(std::int64_t top_k) {
  ToyShape shape;
  shape.num_experts = 4;
  shape.settings = {{"top_k", top_k}, {"groups", std::int64_t{2}}, {"groups_kept", std::int64_t{1}}};
  ToyLayer toy("loss_free", shape);
  overwrite(toy.parameter("moe.1.router.rows"), at::eye(4));
  return toy;
}

TEST(LossFreeRouter, ATokenUsesExpertsOfTheBestGroupsOnly) {
  // The single best expert is 0, but two good ones make group 1 better.
  const at::Tensor hidden_TD = test::matrix({3, -3, 2, 1}, 1).to(at::kFloat);
  ToyLayer two = grouped(2);
  EXPECT_EQ(test::integers(two.router().route(input_of(hidden_TD)).sparse()->expert_N),
            (std::vector<std::int64_t>{2, 3}));
  ToyLayer one = grouped(1);  // a group is worth its best expert when one is chosen
  EXPECT_EQ(test::integers(one.router().route(input_of(hidden_TD)).sparse()->expert_N), (std::vector<std::int64_t>{0}));
}

TEST(LossFreeRouter, NegativeBiasedScoresDoNotLetOtherGroupsIn) {
  ToyLayer toy = grouped(2);
  overwrite(bias_of(toy), at::full({4}, -2.0));  // every biased score is below zero
  const at::Tensor hidden_TD = test::matrix({3, -3, 2, 1}, 1).to(at::kFloat);
  EXPECT_EQ(test::integers(toy.router().route(input_of(hidden_TD)).sparse()->expert_N),
            (std::vector<std::int64_t>{2, 3}));
}

TEST(LossFreeRouter, TheSharedExpertIsAddedUngatedAndCountsAsNoLoad) {
  ToyShape shape;
  ToyLayer without("loss_free", shape);
  shape.settings = {{"shared_expert", true}};
  ToyLayer with("loss_free", shape);
  const at::Tensor hidden_TD = test::draws({9, 4}, 1);
  const MoeOutput plain = without.layer->forward(input_of(hidden_TD)), both = with.layer->forward(input_of(hidden_TD));
  const auto part = [&](const char* of) { return with.parameter(std::string("moe.1.shared.") + of); };
  const at::Tensor shared_TD =
      at::linear(at::relu(at::linear(hidden_TD, part("w1"), part("b1"))), part("w2"), part("b2"));
  EXPECT_TRUE(close(both.delta_TD, plain.delta_TD + shared_TD, 1e-6));
  EXPECT_TRUE(at::equal(both.record.load_E, plain.record.load_E));
  EXPECT_TRUE(at::equal(both.record.routing.sparse()->expert_N, plain.record.routing.sparse()->expert_N));
  EXPECT_EQ(both.record.routing.probs_TE.size(1), 3);
  EXPECT_EQ(with.router().experts_per_token(), 2);
  EXPECT_EQ(with.layer->experts().num_experts(), 3);
  both.delta_TD.sum().backward();
  EXPECT_GT(part("w1").grad().abs().sum().item<double>(), 0);
}

TEST(LossFreeRouter, TheSequenceLossIsSwitchsWithinEachSequence) {
  ToyLayer toy = f1_loss_free({{"sequence_balance_coefficient", 0.0001}});
  RouterInput input = test::f1::input();
  input.token_id_BL = at::zeros({3, 3}, at::kLong);  // rows: tokens 0 1 2 · tokens 3 and 4 beside padding · no token
  input.cell_T = at::tensor({0, 1, 2, 3, 5}, at::kLong);
  input.hidden_TD = test::f1::hidden_TD().narrow(0, 0, 5);
  const Routing routing = toy.router().route(input);
  const at::Tensor open_TE = at::sigmoid(test::f1::scores_TE());
  const at::Tensor share_TE = open_TE / open_TE.sum(1, true);
  // f = E/(kT)·count; tokens 0 and 2 choose {0,1}, 1 and 3 {1,2}, 4 {0,1}.
  const double first = share_TE.narrow(0, 0, 3).mean(0).dot(test::matrix({2, 3, 1}, 0) * 3 / 6).item<double>();
  const double second = share_TE.narrow(0, 3, 2).mean(0).dot(test::matrix({1, 2, 1}, 0) * 3 / 4).item<double>();
  EXPECT_NEAR(test::loss_of(routing, "sequence_balance").value.item<double>(), (first + second) / 2, 1e-12);
  EXPECT_EQ(test::loss_of(routing, "sequence_balance").coefficient, 0.0001);
}

TEST(LossFreeChecks, GroupsMustFit) {
  const std::string head = "[moe]\nmethod = \"loss_free\"\nnum_experts = 8\n[moe.router]\n";
  EXPECT_EQ(test::said_of(head + "groups = 3\n"),
            "error: 'groups' is 3, which does not divide the 8 experts\nhint: 'num_experts' is in [moe]\n");
  EXPECT_EQ(test::said_of(head + "groups = 2\ngroups_kept = 4\n"),
            "error: 'groups_kept' is 4, but there are 2 groups\n");
  EXPECT_EQ(test::said_of(head + "groups = 4\ngroups_kept = 1\ntop_k = 3\n"),
            "error: 'top_k' is 3, but the groups kept hold 2 experts\n");
  EXPECT_EQ(test::said_of(head + "groups = 4\ngroups_kept = 2\ntop_k = 4\n"), "");
}

TEST(LossFreeChecks, WhatDoesNothingIsPointedAt) {
  const std::string head = "[moe]\nmethod = \"loss_free\"\n[moe.router]\n";
  EXPECT_EQ(test::said_of(head + "top_k = 1\n"),
            "warning: 'top_k' is 1 and the gate is normalised: a gate over itself is always 1, so the router gets no "
            "gradient from the task and never learns\nhint: set normalised = false, or top_k to 2 or more\n");
  EXPECT_EQ(test::said_of(head + "top_k = 1\nnormalised = false\n"), "");
  EXPECT_EQ(test::said_of(head + "bias_rate = 0\n"),
            "warning: 'bias_rate' is 0: nothing spreads the load, so the router may collapse onto a few experts\n"
            "hint: the method's own value is 0.001\n");
}

}  // namespace
}  // namespace moescope::moe
