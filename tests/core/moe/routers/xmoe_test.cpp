#include <cmath>

#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::matrix;
using test::overwrite;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

constexpr int kFineTune = 1;

/// F1 with W the identity.
ToyLayer f1_xmoe(SettingMap settings = {}) {
  ToyShape shape = test::f1::shape();
  settings["router_dim"] = std::int64_t{2};
  shape.settings = std::move(settings);
  ToyLayer toy = test::f1::layer("xmoe", shape);
  overwrite(toy.parameter("moe.1.router.reduce"), at::eye(2, at::kDouble));
  return toy;
}

at::Tensor cosines_TE() {
  return matrix({1, 0, -.970143, 0, 1, .242536, .894427, .447214, -.759257, -.447214, .894427, .650791, 1, 0, -.970143,
                 -.970143, .242536, 1},
                6);
}

RouterControls stage(int number) {
  RouterControls controls;
  controls.stage = number;
  return controls;
}

at::Tensor norms_E(ToyLayer& toy) { return toy.parameter("moe.1.router.rows").detach().norm(2, 1); }

TEST(XmoeRouter, FixtureF1CosinesAndSoftmaxGates) {
  ToyLayer toy = f1_xmoe();
  const MoeOutput output = toy.layer->forward(test::f1::input());
  EXPECT_TRUE(close(output.record.routing.scores_TE, cosines_TE(), 1e-6));
  const SparseRouting& sparse = *output.record.routing.sparse();
  EXPECT_EQ(test::integers(sparse.expert_N), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 2}));
  const at::Tensor gates = matrix({.964246, .896265, .813505, .687125, .964246, .924664}, 0);
  EXPECT_TRUE(close(sparse.gate_N, gates, 1e-6));
  const at::Tensor scale_T = gates * matrix({1, 2, 1, 2, 1, 3}, 0);
  EXPECT_TRUE(close(output.delta_TD, test::f1::hidden_TD() * scale_T.unsqueeze(1), 1e-5));
}

TEST(XmoeRouter, FixtureF1BalanceLossHasItsOwnTemperature) {
  ToyLayer toy = f1_xmoe();
  const auto balance = [&] { return test::loss_of(toy.router().route(test::f1::input()), "balance"); };
  EXPECT_NEAR(balance().value.item<double>(), 1.122973, 1e-6);
  EXPECT_EQ(balance().coefficient, 0.01);
  toy.parameter("moe.1.router.log_temperature").detach().fill_(3);
  EXPECT_NEAR(balance().value.item<double>(), 1.122973, 1e-6) << "raising the learned one does not appease it";
}

TEST(XmoeRouter, SigmoidGatesHaveTheirOwnTemperatures) {
  ToyLayer toy = f1_xmoe({{"gate", std::string("sigmoid")}});
  EXPECT_NEAR(toy.parameter("moe.1.router.log_temperature").item<double>(), std::log(0.07), 1e-6);
  const Routing routing = toy.router().route(test::f1::input());
  EXPECT_GT(routing.sparse()->gate_N.min().item<double>(), .99999);
  const at::Tensor probs_TE = at::softmax(cosines_TE() / 0.07, 1);
  const at::Tensor share_E = matrix({3. / 6, 2. / 6, 1. / 6}, 0);
  EXPECT_NEAR(test::loss_of(routing, "balance").value.item<double>(),
              3 * (probs_TE.mean(0) * share_E).sum().item<double>(), 1e-5);
  EXPECT_NEAR(f1_xmoe().parameter("moe.1.router.log_temperature").item<double>(), std::log(0.3), 1e-6);
  ToyLayer set = f1_xmoe({{"temperature_start", 0.5}});
  EXPECT_NEAR(set.parameter("moe.1.router.log_temperature").item<double>(), std::log(0.5), 1e-6);
}

TEST(XmoeRouter, TwoChoicesAreASoftmaxOverTheChosen) {
  ToyLayer toy = f1_xmoe({{"top_k", std::int64_t{2}}});
  const SparseRouting sparse = *toy.router().route(test::f1::input()).sparse();
  const auto [best_TK, expert_TK] = cosines_TE().topk(2, 1);
  EXPECT_TRUE(at::equal(sparse.expert_N, expert_TK.t().reshape({-1})));
  EXPECT_TRUE(close(sparse.gate_N, at::softmax(best_TK / 0.3, 1).t().reshape({-1}), 1e-5));
}

TEST(XmoeRouter, LengthsDoNotMatter) {
  ToyLayer toy = f1_xmoe();
  const at::Tensor before_TE = toy.router().route(test::f1::input()).scores_TE.detach();
  const at::Tensor longer_TD = test::f1::hidden_TD() * matrix({1, 2, 30, .01, 5, 7}, 6);
  overwrite(toy.parameter("moe.1.router.rows"), test::f1::rows_ER() * matrix({3, .1, 20}, 3));
  EXPECT_TRUE(close(toy.router().route(test::input_of(longer_TD)).scores_TE, before_TE, 1e-12));
}

TEST(XmoeRouter, TheChoiceDoesNotDependOnTheTemperature) {
  ToyLayer toy = f1_xmoe();
  const at::Tensor before_N = toy.router().route(test::f1::input()).sparse()->expert_N;
  for (const double log_temperature : {-5.0, 0.0, 5.0}) {
    toy.parameter("moe.1.router.log_temperature").detach().fill_(log_temperature);
    EXPECT_TRUE(at::equal(toy.router().route(test::f1::input()).sparse()->expert_N, before_N));
  }
}

TEST(XmoeRouter, EmbeddingsKeepTheirNormAfterEveryStepUnlessFrozen) {
  ToyShape shape;
  ToyLayer toy("xmoe", shape);
  EXPECT_TRUE(close(norms_E(toy), at::full({3}, 0.1), 1e-6));
  const at::Tensor start_ER = toy.parameter("moe.1.router.rows").detach().clone();
  test::train(toy, 5);
  EXPECT_TRUE(close(norms_E(toy), at::full({3}, 0.1), 1e-6));
  EXPECT_FALSE(close(toy.parameter("moe.1.router.rows"), start_ER, 1e-4)) << "their directions learn";
  EXPECT_TRUE(toy.parameter("moe.1.router.rows").requires_grad());

  RouterControls controls;
  controls.frozen = true;
  toy.router().apply(controls);
  const std::uint64_t before = checksum(toy.router().parameters());
  test::train(toy, 2);
  EXPECT_EQ(checksum(toy.router().parameters()), before);
}

TEST(XmoeRouter, TheTemperatureLearnsFromTheGateAlone) {
  ToyLayer gate = f1_xmoe(), balance = f1_xmoe();
  gate.layer->forward(test::f1::input()).delta_TD.sum().backward();
  for (const char* name : {"log_temperature", "reduce", "rows"}) {
    EXPECT_GT(gate.gradient(std::string("moe.1.router.") + name).abs().sum().item<double>(), 0) << name;
  }
  test::loss_of(balance.router().route(test::f1::input()), "balance").value.backward();
  EXPECT_GT(balance.gradient("moe.1.router.reduce").abs().sum().item<double>(), 0);
  EXPECT_GT(balance.gradient("moe.1.router.rows").abs().sum().item<double>(), 0);
  EXPECT_FALSE(balance.gradient("moe.1.router.log_temperature").defined());
}

TEST(XmoeRouter, TheGateMovesHiddenStatesInTheSpanOfTheReductionOnly) {
  ToyShape shape;
  shape.d_model = 8;
  shape.settings = {{"router_dim", std::int64_t{2}}};
  ToyLayer toy("xmoe", shape);
  test::to_double(toy.parameters);
  test::randomise(toy.parameters);
  const at::Tensor hidden_TD = test::draws({9, 8}, 1, at::kDouble).requires_grad_();
  toy.router().route(test::input_of(hidden_TD)).sparse()->gate_N.sum().backward();
  const at::Tensor reduce_RD = toy.parameter("moe.1.router.reduce").detach();
  const at::Tensor basis_RD = std::get<2>(at::linalg_svd(reduce_RD, /*full_matrices=*/false));
  const at::Tensor inside_TD = hidden_TD.grad().mm(basis_RD.t()).mm(basis_RD);
  EXPECT_TRUE(close(hidden_TD.grad(), inside_TD, 1e-12));
  EXPECT_GT(hidden_TD.grad().abs().sum().item<double>(), 1e-3);
}

TEST(XmoeRouter, EmbeddingGradientsAreTangential) {
  ToyLayer toy = f1_xmoe();
  const MoeOutput output = toy.layer->forward(test::f1::input());
  (output.delta_TD.sum() + output.record.routing.losses[0].value).backward();
  const at::Tensor along_E = (toy.gradient("moe.1.router.rows") * test::f1::rows_ER()).sum(1);
  EXPECT_TRUE(close(along_E, at::zeros({3}, at::kDouble), 1e-12));
}

TEST(XmoeRouter, InFineTuningTheBalanceLossReachesOnlyWhatLiesBelow) {
  ToyLayer toy = f1_xmoe();
  toy.router().apply(stage(kFineTune));
  EXPECT_TRUE(toy.router().experts_frozen());
  const at::Tensor hidden_TD = test::f1::hidden_TD().requires_grad_();
  const Routing routing = toy.router().route(test::input_of(hidden_TD));
  test::loss_of(routing, "balance").value.backward();
  EXPECT_GT(hidden_TD.grad().abs().sum().item<double>(), 0);
  for (const Parameter& one : toy.router().parameters()) {
    EXPECT_FALSE(one.tensor.requires_grad()) << one.name;
    EXPECT_FALSE(one.tensor.grad().defined()) << one.name;
  }
  toy.router().apply(stage(0));
  EXPECT_FALSE(toy.router().experts_frozen());
  for (const Parameter& one : toy.router().parameters()) EXPECT_TRUE(one.tensor.requires_grad()) << one.name;
}

TEST(XmoeRouter, FineTuningMovesNoRouterParameter) {
  ToyLayer toy("xmoe", ToyShape{});
  toy.router().apply(stage(kFineTune));
  const std::uint64_t before = checksum(toy.router().parameters());
  test::train(toy, 3);
  EXPECT_EQ(checksum(toy.router().parameters()), before);
}

TEST(XmoeRouter, TheReleasedVariantNormalisesEmbeddingsOnly) {
  ToyLayer toy = f1_xmoe({{"variant", std::string("torchscale")}});
  for (const Parameter& one : toy.router().parameters()) EXPECT_FALSE(one.name.ends_with("log_temperature"));
  const Routing routing = toy.router().route(test::f1::input());
  const at::Tensor length_T = test::f1::hidden_TD().norm(2, 1, /*keepdim=*/true);
  const at::Tensor scores_TE = cosines_TE() * length_T;
  EXPECT_TRUE(close(routing.scores_TE, scores_TE, 1e-5));
  const at::Tensor probs_TE = at::softmax(scores_TE, 1);
  EXPECT_TRUE(close(routing.sparse()->gate_N, std::get<0>(probs_TE.max(1)), 1e-5)) << "no temperature";
  const at::Tensor share_E = at::bincount(routing.sparse()->expert_N, {}, 3).to(at::kDouble) / 6;
  EXPECT_NEAR(test::loss_of(routing, "balance").value.item<double>(),
              3 * (probs_TE.mean(0) * share_E).sum().item<double>(), 1e-5)
      << "nor in the balance loss";
  toy.router().after_step({}, 0);
  EXPECT_TRUE(close(norms_E(toy), at::full({3}, 1.5, at::kDouble), 1e-9));
}

TEST(XmoeRouter, TheSphereHasHalfAsManyDimensionsAsExperts) {
  const auto dim = [](int num_experts, SettingMap settings) {
    ToyShape shape;
    shape.num_experts = num_experts;
    shape.d_model = 32;
    shape.settings = std::move(settings);
    return ToyLayer("xmoe", shape).router().space_dim();
  };
  EXPECT_EQ(dim(32, {}), 16);
  EXPECT_EQ(dim(4, {}), 4);
  EXPECT_EQ(dim(4, {{"router_dim", std::int64_t{3}}}), 3);
  EXPECT_EQ(dim(4, {{"variant", std::string("torchscale")}}), 16);
}

TEST(XmoeRouter, StagesFollowTheSchedule) {
  config::RunConfig config;
  const auto due = [&](std::int64_t pretrain, bool finetune, std::int64_t step) {
    config.stages = {{"pretrain_steps", pretrain}, {"finetune", finetune}};
    return find_method("xmoe")->stage_due(config, step);
  };
  EXPECT_EQ(due(0, false, 1'000'000), 0) << "0 is the whole run";
  EXPECT_EQ(due(10, false, 9), 0);
  EXPECT_EQ(due(10, false, 10), kFineTune);
  EXPECT_EQ(due(0, true, 0), kFineTune);
}

std::string said(const std::string& stages, const std::string& more = "") {
  return test::said_of("[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n[train]\nsteps = 100\n" + more +
                       "[moe]\nmethod = \"xmoe\"\n[stages]\n" + stages);
}

TEST(XmoeRouter, WarnsOfStagesThatCannotHelp) {
  EXPECT_EQ(said("pretrain_steps = 50\n"), "");
  EXPECT_EQ(said("pretrain_steps = 100\n"),
            "warning: 'pretrain_steps' is 100, but the run has 100 steps: fine-tuning never starts by itself\n"
            "hint: 0 says that the whole run is pre-training; 'steps' is in [train]\n");
  EXPECT_EQ(said("finetune = true\n", "[model]\ninit_from = \"runs/first\"\n"), "");
  EXPECT_EQ(said("finetune = true\n"),
            "warning: 'finetune' is true, but 'init_from' is empty: router and experts stay as chance made them\n"
            "hint: name in model.init_from the run that was pre-trained\n");
  EXPECT_EQ(said("finetune = true\npretrain_steps = 5\n", "[model]\ninit_from = \"runs/first\"\n"),
            "warning: 'pretrain_steps' is set, but 'finetune' is true: there is no pre-training in this run\n"
            "hint: leave out one of the two\n");
}

}  // namespace
}  // namespace moescope::moe
