#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::input_of;
using test::overwrite;
using test::ToyLayer;
using test::ToyShape;

const std::string kRouter = "moe.1.router.";

/// e = (1, −1), an identity as first layer, and second-layer outputs (.1 .2 .3 −.4 .5 −.6) for its one live unit.
ToyLayer two_experts(std::int64_t top_k = 2) {
  ToyShape shape;
  shape.d_model = 2;
  shape.num_experts = 2;
  shape.settings = {{"hyper_dim", std::int64_t{2}}, {"top_k", top_k}};
  ToyLayer toy("hyperrouter", shape);
  test::to_double(toy.parameters);
  overwrite(toy.parameter(kRouter + "embedding"), test::matrix({1, -1}, 0));
  overwrite(toy.parameter(kRouter + "hyper.w1"), at::eye(2, at::kDouble));
  overwrite(toy.parameter(kRouter + "hyper.w2"), test::matrix({.1, 7, .2, 7, .3, 7, -.4, 7, .5, 7, -.6, 7}, 6));
  return toy;
}

TEST(HyperRouter, RowsAndBiasComeFromTheHypernetworkRowByRow) {
  ToyLayer toy = two_experts();
  const at::Tensor hidden_TD = test::matrix({1, 2}, 1);
  const Routing routing = toy.router().route(input_of(hidden_TD));
  EXPECT_TRUE(close(routing.scores_TE, test::matrix({.8, 0}, 1), 1e-12));
  EXPECT_TRUE(close(routing.sparse()->gate_N, test::matrix({.689974, .310026}, 0), 1e-6));
  EXPECT_TRUE(close(toy.router().space(hidden_TD)->rows_ER, test::matrix({.1, .2, -.4, .5}, 2), 1e-12));
  const at::Tensor bias_TE = toy.router().route(input_of(at::zeros({1, 2}, at::kDouble))).scores_TE;
  EXPECT_TRUE(close(bias_TE, test::matrix({.3, -.6}, 1), 1e-12));
}

TEST(HyperRouter, FixtureF1IsReachedThroughTheHypernetwork) {
  ToyShape shape = test::f1::shape();
  shape.settings = {{"hyper_dim", std::int64_t{2}}};
  ToyLayer plain = test::f1::layer("smoe", test::f1::shape()), toy("hyperrouter", shape);
  test::to_double(toy.parameters);
  for (const Parameter& one : plain.parameters.all()) {
    if (one.role == ParameterRole::kExpert) overwrite(toy.parameter(one.name), one.tensor.detach());
  }
  overwrite(toy.parameter(kRouter + "embedding"), test::matrix({1, -1}, 0));
  overwrite(toy.parameter(kRouter + "hyper.w1"), at::eye(2, at::kDouble));
  overwrite(toy.parameter(kRouter + "hyper.w2"),
            test::matrix({1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, -1, 0, .25, 0, 0, 0}, 9));
  test::f1::expect_two_best(toy);
}

TEST(HyperRouter, TheEmbeddingLearnsWithTwoChoicesAndExactlyNotWithOne) {
  for (const std::int64_t top_k : {1, 2}) {
    ToyLayer toy = two_experts(top_k);
    toy.layer->forward(input_of(test::draws({9, 2}, 1, at::kDouble))).delta_TD.pow(2).sum().backward();
    const at::Tensor gradient_D = toy.gradient(kRouter + "embedding");
    if (top_k == 1) {
      EXPECT_TRUE(!gradient_D.defined() || gradient_D.abs().sum().item<double>() == 0);
    } else {
      EXPECT_GT(gradient_D.abs().sum().item<double>(), 0);
    }
    for (const Parameter& one : toy.parameters.with_prefix(kRouter + "hyper.")) {
      EXPECT_FALSE(one.tensor.grad().defined()) << one.name;
    }
  }
}

TEST(HyperRouter, TheHypernetworkKeepsItsBitsWhileTheRouterMoves) {
  ToyLayer toy("hyperrouter", ToyShape{});
  test::randomise(toy.parameters);
  const std::uint64_t hyper = checksum(toy.parameters.with_prefix(kRouter + "hyper."));
  const at::Tensor rows_ER = toy.router().space(test::draws({1, 4}, 1))->rows_ER.clone();
  test::train(toy, 20, 0.05);
  EXPECT_EQ(checksum(toy.parameters.with_prefix(kRouter + "hyper.")), hyper);
  EXPECT_FALSE(close(toy.router().space(test::draws({1, 4}, 1))->rows_ER, rows_ER, 1e-6));

  toy.router().apply({0, true, false});
  EXPECT_FALSE(toy.parameter(kRouter + "embedding").requires_grad());
  toy.router().apply({});
  EXPECT_TRUE(toy.parameter(kRouter + "embedding").requires_grad());
  EXPECT_FALSE(toy.parameter(kRouter + "hyper.w1").requires_grad());
}

TEST(HyperRouter, SizesAndTheStartOfTheGeneratedRows) {
  ToyShape shape;
  shape.d_model = 256;
  shape.num_experts = 16;
  shape.hidden = 4;
  shape.settings = {{"hyper_dim", std::int64_t{256}}};
  ToyLayer toy("hyperrouter", shape);
  std::int64_t fixed = 0, trained = 0;
  for (const Parameter& one : toy.router().parameters()) {
    (one.fixed ? fixed : trained) += one.tensor.numel();
    EXPECT_FALSE(one.decayed) << one.name;
  }
  EXPECT_EQ(fixed, 65'792 + 1'056'784);
  EXPECT_EQ(trained, 256);
  // √(H · 0.02² · D · 0.02² / 2) = .072 where a plain router starts at .02; the bias column alike.
  const at::Tensor zero_TD = at::zeros({1, 256});
  EXPECT_NEAR(toy.router().space(zero_TD)->rows_ER.std().item<double>(), .0724, .012);
  EXPECT_NEAR(toy.router().route(input_of(zero_TD)).scores_TE.std().item<double>(), .0724, .04);
  EXPECT_NEAR(toy.parameter(kRouter + "embedding").std().item<double>(), 1, .15);
}

TEST(HyperRouter, FollowsTheScheduleOfK) {
  ToyShape shape;
  shape.settings = {{"k_schedule", std::string("linear")}, {"k_start", std::int64_t{2}}, {"top_k", std::int64_t{3}}};
  ToyLayer toy("hyperrouter", shape);
  toy.router().begin_step(0);
  EXPECT_EQ(toy.router().top_k(), 2);
  toy.router().begin_step(1);  // a run of one step is over
  EXPECT_EQ(toy.router().top_k(), 3);
}

TEST(HyperRouterChecks, OneChoiceIsPointedAt) {
  const std::string head = "[moe]\nmethod = \"hyperrouter\"\n[moe.router]\n";
  EXPECT_EQ(
      test::said_of(head + "top_k = 1\n"),
      "warning: 'top_k' is 1 and the softmax comes after the choice: a softmax over one score is always 1, so the "
      "embedding gets no gradient and the router does not learn\nhint: set top_k to 2 or more\n");
  EXPECT_EQ(
      test::said_of(head + "top_k = 4\nk_schedule = \"linear\"\nk_start = 1\n"),
      "warning: 'k_start' is 1 and the softmax comes after the choice: a softmax over one score is always 1, so the "
      "embedding gets no gradient and the router does not learn while k is 1\nhint: set k_start to 2 or more\n");
  EXPECT_EQ(test::said_of(head + "top_k = 4\nk_schedule = \"linear\"\nk_start = 2\n"), "");
}

}  // namespace
}  // namespace moescope::moe
