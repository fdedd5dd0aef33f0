#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::input_of;
using test::ToyLayer;
using test::ToyShape;

/// Sixteen experts under a schedule of k over `total` steps.
struct Scheduled {
  ParameterSet parameters{7};
  std::unique_ptr<Router> router;

  Scheduled(const test::SettingMap& settings, std::int64_t total) {
    const Method& method = *find_method("smoe_dropout");
    RouterContext context;
    context.prefix = "moe.1.router";
    context.d_model = 4;
    context.num_experts = 16;
    context.settings = test::settings_with(method.info.router, settings);
    context.total_steps = total;
    router = method.make_router(context, parameters);
  }
  int k_at_step(std::int64_t step) {
    router->begin_step(step);
    return router->top_k();
  }
};

TEST(SmoeDropoutRouter, FixtureF1WithKTwo) {
  ToyShape shape = test::f1::shape();
  shape.settings = {{"k_schedule", std::string("fixed")}};
  ToyLayer toy = test::f1::layer("smoe_dropout", shape);
  toy.router().begin_step(0);
  test::f1::expect_two_best(toy);
}

TEST(SmoeDropoutRouter, TheStaircaseOfTheReleasedScripts) {
  Scheduled made({{"k_start", std::int64_t{8}}, {"top_k", std::int64_t{16}}}, 400'000);
  const std::int64_t begins[] = {25'001, 75'000, 125'001, 175'000, 225'001, 275'000, 325'001, 375'000};
  for (int stair = 0; stair < 8; ++stair) {
    EXPECT_EQ(made.k_at_step(begins[stair] - 1), 8 + stair);
    EXPECT_EQ(made.k_at_step(begins[stair]), 9 + stair);
  }
  const SparseRouting sparse = *made.router->route(input_of(test::draws({5, 4}, 1))).sparse();
  EXPECT_EQ(sparse.choices_per_token, 16);
  EXPECT_EQ(made.k_at_step(400'000), 16) << "a finished run is evaluated with its last k";
}

TEST(SmoeDropoutRouter, KIsThatOfTheEndBeforeTheFirstStep) {
  Scheduled made({{"k_start", std::int64_t{2}}, {"top_k", std::int64_t{9}}}, 100);
  EXPECT_EQ(made.router->top_k(), 9);
  EXPECT_EQ(made.k_at_step(0), 2);
}

TEST(SmoeDropoutRouter, HeldLiveAtAnyKAndReleasedAgain) {
  Scheduled made({{"k_start", std::int64_t{2}}, {"top_k", std::int64_t{16}}}, 100);
  EXPECT_EQ(made.k_at_step(50), 9);
  ASSERT_EQ(made.router->set("k_schedule", std::string("fixed")), "");
  ASSERT_EQ(made.router->set("top_k", std::int64_t{3}), "");
  EXPECT_EQ(made.router->top_k(), 3);
  ASSERT_EQ(made.router->set("top_k", std::int64_t{16}), "");
  ASSERT_EQ(made.router->set("k_schedule", std::string("linear")), "");
  EXPECT_EQ(made.router->top_k(), 9);
  EXPECT_EQ(made.router->set("k_start", std::int64_t{17}), "'k_start' is 17, but this layer has 16 experts");
  EXPECT_EQ(made.router->set("eval_top_k", std::int64_t{17}), "'eval_top_k' is 17, but this layer has 16 experts");
}

TEST(SmoeDropoutRouter, KIsFreeAtEvaluationAndNowhereElse) {
  Scheduled made({{"k_start", std::int64_t{4}}, {"eval_top_k", std::int64_t{16}}, {"top_k", std::int64_t{8}}}, 100);
  made.router->begin_step(0);
  const auto choices = [&](RouteMode mode) {
    return made.router->route(input_of(test::draws({5, 4}, 1), mode)).sparse()->choices_per_token;
  };
  EXPECT_EQ(choices(RouteMode::kTrain), 4);
  EXPECT_EQ(choices(RouteMode::kProbe), 4) << "what training would choose now";
  EXPECT_EQ(choices(RouteMode::kEvaluate), 16);
  ASSERT_EQ(made.router->set("eval_top_k", std::int64_t{0}), "");
  EXPECT_EQ(choices(RouteMode::kEvaluate), 4);
}

TEST(SmoeDropoutRouter, NothingEverMovesTheRouter) {
  ToyLayer toy("smoe_dropout", ToyShape{});
  const std::uint64_t router = checksum(toy.router().parameters()), all = checksum(toy.parameters.all());
  test::train(toy, 20);
  EXPECT_EQ(checksum(toy.router().parameters()), router);
  EXPECT_NE(checksum(toy.parameters.all()), all);
  for (const Parameter& one : toy.router().parameters()) EXPECT_TRUE(one.fixed) << one.name;
}

TEST(SmoeDropoutRouter, HiddenStatesLearnFromTheGatesOfAFrozenRouter) {
  ToyShape shape;
  shape.settings = {{"k_schedule", std::string("fixed")}};
  ToyLayer toy("smoe_dropout", shape);
  test::randomise(toy.parameters);
  for (int e = 0; e < 3; ++e) {
    toy.parameter("moe.1.expert." + std::to_string(e) + ".w1").detach().zero_();  // experts ignore the hidden state
  }
  const at::Tensor hidden_TD = test::draws({9, 4}, 1).requires_grad_();
  toy.layer->forward(input_of(hidden_TD)).delta_TD.sum().backward();
  EXPECT_GT(hidden_TD.grad().abs().min().item<double>(), 0);
}

TEST(SmoeDropoutChecks, MoreThanThereAreIsAnError) {
  const std::string head = "[moe]\nmethod = \"smoe_dropout\"\nnum_experts = 4\n[moe.router]\n";
  EXPECT_EQ(test::said_of(head + "top_k = 4\nk_start = 5\n"),
            "error: 'k_start' is 5, but a layer has 4 experts\nhint: 'num_experts' is in [moe]\n");
  EXPECT_EQ(test::said_of(head + "eval_top_k = 9\n"),
            "error: 'eval_top_k' is 9, but a layer has 4 experts\nhint: 'num_experts' is in [moe]\n");
  EXPECT_EQ(test::said_of(head + "top_k = 4\nk_start = 1\n"), "");
}

}  // namespace
}  // namespace moescope::moe
