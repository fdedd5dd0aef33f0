#include <cmath>

#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::overwrite;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

constexpr const char* kRows = "moe.1.router.rows";
constexpr const char* kNoiseRows = "moe.1.router.noise_rows";

ToyLayer f1_noisy(SettingMap settings = {}) {
  ToyShape shape = test::f1::shape();
  shape.settings = std::move(settings);
  return test::f1::layer("noisy_topk", shape);
}

/// A training input whose noise is drawn as zero.
struct Silent {
  GivenDraws draws;
  RouterInput input;

  explicit Silent(const at::Tensor& hidden_TD) : input(input_of(hidden_TD)) {
    draws.by_name["noise"] = at::zeros({hidden_TD.size(0), 3}, at::kDouble);
    input.draws = &draws;
  }
};

double squared_variation(const std::vector<double>& values, bool sample) {
  double mean = 0, spread = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) spread += (value - mean) * (value - mean);
  return spread / static_cast<double>(values.size() - (sample ? 1 : 0)) / (mean * mean);
}

/// One token with clean scores (1, 0, −1) and noise of width .5 for every expert.
ToyLayer one_token(const std::string& variant) {
  ToyLayer toy = f1_noisy({{"variant", variant}, {"top_k", std::int64_t{1}}, {"noise", variant == "vmoe" ? 1.5 : 1.0}});
  overwrite(toy.parameter(kRows), test::matrix({1, 0, 0, 0, -1, 0}, 3));
  if (variant == "paper") {
    const double raw = std::log(std::exp(.49) - 1);  // softplus(raw) + .01 = .5
    overwrite(toy.parameter(kNoiseRows), test::matrix({raw, 0, raw, 0, raw, 0}, 3));
  }
  return toy;
}

TEST(NoisyTopkRouter, FixtureF1IsATopTwoWithoutNoise) {
  ToyLayer toy = f1_noisy({{"noise", 0.0}});
  test::f1::expect_two_best(toy);
  test::f1::expect_two_best(toy, RouteMode::kEvaluate);
  test::f1::expect_two_best(toy, RouteMode::kProbe);
}

TEST(NoisyTopkRouter, FixtureF1ImportanceLoss) {
  ToyLayer toy = f1_noisy();
  Silent silent(test::f1::hidden_TD());
  const Routing routing = toy.router().route(silent.input);
  const SparseRouting& sparse = *routing.sparse();
  const at::Tensor importance_E = at::zeros({3}, at::kDouble).index_add(0, sparse.expert_N, sparse.gate_N.detach());
  EXPECT_TRUE(close(importance_E, test::matrix({2.234315, 2.231840, 1.533846}, 0), 1e-6));
  EXPECT_NEAR(test::loss_of(routing, "importance").value.item<double>(), .040744, 1e-6);
  EXPECT_EQ(test::loss_of(routing, "importance").coefficient, 0.01);
}

TEST(NoisyTopkRouter, TheSmoothLoadLeavesTheExpertItselfOutOfItsThreshold) {
  ToyLayer toy = one_token("paper");
  Silent silent(test::matrix({1, 0}, 1));
  const double load = test::loss_of(toy.router().route(silent.input), "load").value.item<double>();
  // Φ(2), Φ(−2), Φ(−4)
  EXPECT_NEAR(load, squared_variation({.977250, .022750, .0000317}, /*sample=*/true), 1e-5);
}

TEST(NoisyTopkRouter, InTheVmoeVariantAClearWinnerCountsHalf) {
  ToyLayer toy = one_token("vmoe");
  Silent silent(test::matrix({1, 0}, 1));
  const double load = test::loss_of(toy.router().route(silent.input), "load").value.item<double>();
  EXPECT_NEAR(load, squared_variation({.5, .022750, .0000317}, /*sample=*/false), 1e-5);
}

TEST(NoisyTopkRouter, TheVmoeVariantWeighsByTheSoftmaxOfAllExperts) {
  ToyLayer toy = f1_noisy({{"variant", std::string("vmoe")}});
  Silent silent(test::f1::hidden_TD());
  const Routing routing = toy.router().route(silent.input);
  EXPECT_TRUE(close(routing.sparse()->gate_N,
                    test::matrix({.665241, .543406, .568219, .603749, .866813, .824351, .244728, .256687, .344642,
                                  .366192, .117310, .162324},
                                 0),
                    1e-6));
  EXPECT_NEAR(test::loss_of(routing, "importance").value.item<double>(),
              squared_variation({.390594, .336027, .273379}, /*sample=*/false), 1e-5);
  for (const Parameter& one : toy.router().parameters()) EXPECT_NE(one.name, kNoiseRows) << "its width is fixed";
}

TEST(NoisyTopkRouter, NoiseHasTheLearnedWidthPlusAFloor) {
  ToyLayer toy("noisy_topk", ToyShape{});
  test::to_double(toy.parameters);  // rows at zero: scores are the noise
  overwrite(toy.parameter(kNoiseRows), test::draws({3, 4}, 3, at::kDouble));
  const at::Tensor hidden_TD = test::draws({1, 4}, 4, at::kDouble).repeat({20000, 1});
  const at::Tensor scores_TE = toy.router().route(input_of(hidden_TD)).scores_TE;
  const at::Tensor width_E = at::softplus(hidden_TD[0].matmul(toy.parameter(kNoiseRows).detach().t())) + .01;
  EXPECT_TRUE(close(scores_TE.std(0) / width_E, at::ones({3}, at::kDouble), .025));  // 5 standard deviations
  EXPECT_TRUE(close(scores_TE.mean(0) / width_E, at::zeros({3}, at::kDouble), .036));
}

TEST(NoisyTopkRouter, NoiseIsForTrainingOnly) {
  ToyLayer toy = f1_noisy();
  const auto scores = [&](RouteMode mode, std::uint64_t seed) {
    return toy.router().route(input_of(test::f1::hidden_TD(), mode, seed)).scores_TE.detach();
  };
  EXPECT_TRUE(test::same_bits(scores(RouteMode::kEvaluate, 1), test::f1::scores_TE()));
  EXPECT_TRUE(test::same_bits(scores(RouteMode::kProbe, 1), test::f1::scores_TE()));
  EXPECT_FALSE(test::same_bits(scores(RouteMode::kTrain, 1), test::f1::scores_TE()));
  EXPECT_FALSE(test::same_bits(scores(RouteMode::kTrain, 1), scores(RouteMode::kTrain, 2)));
}

TEST(NoisyTopkRouter, BothMatricesStartAtZero) {
  ToyLayer toy("noisy_topk", ToyShape{});
  EXPECT_EQ(toy.parameter(kRows).abs().sum().item<double>(), 0);
  EXPECT_EQ(toy.parameter(kNoiseRows).abs().sum().item<double>(), 0);
}

TEST(NoisyTopkRouter, WhoReachesWhat) {
  const auto reached = [](const std::string& loss) {
    ToyLayer toy = f1_noisy();
    const MoeOutput output = toy.layer->forward(test::f1::input());
    (loss == "task" ? output.delta_TD.sum() : test::loss_of(output.record.routing, loss).value).backward();
    return std::pair(toy.gradient(kRows).abs().sum().item<double>() > 0,
                     toy.gradient(kNoiseRows).abs().sum().item<double>() > 0);
  };
  EXPECT_EQ(reached("task"), std::pair(true, true)) << "gates are a softmax of noisy scores";
  EXPECT_EQ(reached("importance"), std::pair(true, true));
  EXPECT_EQ(reached("load"), std::pair(true, true));
}

TEST(NoisyTopkRouter, ChoosingAllExpertsHasNoLoadToSpread) {
  ToyLayer toy = f1_noisy({{"top_k", std::int64_t{3}}});
  EXPECT_EQ(test::loss_of(toy.router().route(test::f1::input()), "load").value.item<double>(), 0);
}

TEST(NoisyTopkChecks, WhatCannotLearnIsPointedAt) {
  const std::string head = "[moe]\nmethod = \"noisy_topk\"\n[moe.router]\n";
  EXPECT_EQ(
      test::said_of(head + "top_k = 1\n"),
      "warning: 'top_k' is 1 and the softmax comes after the choice: a softmax over one score is always 1, so the "
      "router learns from the load loss alone\n"
      "hint: set top_k to 2 or more, or variant = \"vmoe\", whose softmax comes before the choice\n");
  EXPECT_EQ(test::said_of(head + "top_k = 1\nvariant = \"vmoe\"\n"), "");
  EXPECT_EQ(
      test::said_of(head + "noise = 0\n"),
      "warning: 'noise' is 0: the load loss needs noise and is 0 without it, and rows that start at zero send every "
      "token to the first experts\nhint: 1 is the method's own width\n");
}

}  // namespace
}  // namespace moescope::moe
