#include <cmath>

#include "tests/core/moe/routers/router_checks.h"

namespace moescope::moe {
namespace {

using test::close;
using test::SettingMap;
using test::ToyLayer;
using test::ToyShape;

using Integers = std::vector<std::int64_t>;

ToyLayer f1_remoe(SettingMap settings = {}) {
  ToyShape shape = test::f1::shape();
  settings.insert({"target_top_k", std::int64_t{1}});
  shape.settings = std::move(settings);
  return test::f1::layer("remoe", shape);
}

double lambda_of(ToyLayer& toy) { return toy.router().state().at(0).tensor.item<double>(); }

std::vector<LayerRecord> records(std::vector<LayerRecord> made) { return made; }

/// A record of `tokens` tokens with `active` pairs.
LayerRecord record_of(std::int64_t tokens, std::int64_t active) {
  LayerRecord record;
  SparseRouting list;
  list.expert_N = at::zeros({active}, at::kLong);
  record.routing.assignment = std::move(list);
  record.token_id_T = at::zeros({tokens}, at::kLong);
  return record;
}

TEST(RemoeRouter, FixtureF1GatesAndOutputs) {
  ToyLayer toy = f1_remoe();
  const MoeOutput output = toy.layer->forward(test::f1::input());
  const SparseRouting& list = *output.record.routing.sparse();
  EXPECT_EQ(test::integers(list.token_N), (Integers{0, 1, 1, 2, 2, 3, 3, 4, 5, 5}));
  EXPECT_EQ(test::integers(list.expert_N), (Integers{0, 1, 2, 0, 1, 1, 2, 0, 1, 2}));
  EXPECT_TRUE(close(list.gate_N, test::matrix({1, 1, .25, 1, .5, 2, 1.5, 2, .5, 2.125}, 0), 1e-12));
  EXPECT_EQ(list.choices_per_token, 0);
  const at::Tensor scale_T = test::matrix({1, 2 + .75, 1 + 1, 4 + 4.5, 2, 1 + 6.375}, 0);
  EXPECT_TRUE(close(output.delta_TD, test::f1::hidden_TD() * scale_T.unsqueeze(1), 1e-12));
}

TEST(RemoeRouter, FixtureF1SparsityLossWithLoadsAndWithout) {
  ToyLayer balanced = f1_remoe(), plain = f1_remoe({{"balanced", false}});
  const auto loss = [](ToyLayer& toy) { return test::loss_of(toy.router().route(test::f1::input()), "sparsity"); };
  EXPECT_NEAR(loss(balanced).value.item<double>(), 3.302083, 1e-6);
  EXPECT_NEAR(loss(plain).value.item<double>(), 1.979167, 1e-6);
  EXPECT_EQ(loss(balanced).coefficient, 1e-8) << "λ";
  EXPECT_TRUE(balanced.router().route(test::f1::input(RouteMode::kEvaluate)).losses.empty());
}

TEST(RemoeRouter, LambdaRisesWhileTooFewGatesAreZeroAndFallsElse) {
  ToyLayer toy = f1_remoe({{"lambda_start", 0.5}});
  MoeOutput output = toy.layer->forward(test::f1::input());  // 8 of 18 are zero, wanted are 12
  std::vector<LayerRecord> layers;
  layers.push_back(std::move(output.record));
  toy.router().after_step(layers, 0);
  EXPECT_DOUBLE_EQ(lambda_of(toy), 0.5 * 1.2);
  toy.router().after_step(records({record_of(6, 6)}), 0);  // exactly two thirds
  EXPECT_DOUBLE_EQ(lambda_of(toy), 0.5);
  toy.router().after_step(records({record_of(6, 2)}), 0);
  EXPECT_DOUBLE_EQ(lambda_of(toy), 0.5 / 1.2);
  EXPECT_EQ(test::loss_of(toy.router().route(test::f1::input()), "sparsity").coefficient, lambda_of(toy));
}

TEST(RemoeRouter, TheShareOfZerosIsThatOfAllLayers) {
  ToyLayer toy = f1_remoe({{"lambda_start", 1.0}});
  toy.router().after_step(records({record_of(6, 12), record_of(6, 1)}), 0);  // (1/3 + 17/18)/2 < 2/3
  EXPECT_DOUBLE_EQ(lambda_of(toy), 1.2);
  toy.router().after_step(records({record_of(6, 10), record_of(6, 1)}), 1);  // (8/18 + 17/18)/2 > 2/3
  EXPECT_DOUBLE_EQ(lambda_of(toy), 1);
}

TEST(RemoeRouter, LambdaCanAlwaysComeBack) {
  ToyLayer toy = f1_remoe();
  for (int step = 0; step < 10'000; ++step) toy.router().after_step(records({record_of(6, 0)}), 0);
  EXPECT_GT(lambda_of(toy), 0);
  for (int step = 0; step < 10'000; ++step) toy.router().after_step(records({record_of(6, 18)}), 0);
  EXPECT_TRUE(std::isfinite(lambda_of(toy)));
  toy.router().after_step(records({record_of(6, 0)}), 0);
  EXPECT_LT(lambda_of(toy), 1e6);
}

TEST(RemoeRouter, AFrozenRouterKeepsLambda) {
  ToyLayer toy = f1_remoe();
  RouterControls controls;
  controls.frozen = true;
  toy.router().apply(controls);
  toy.router().after_step(records({record_of(6, 18)}), 0);
  EXPECT_EQ(lambda_of(toy), 1e-8);
}

TEST(RemoeRouter, OnlyActivePairsTeachTheRows) {
  ToyLayer toy = f1_remoe();
  toy.layer->forward(test::f1::input()).delta_TD.sum().backward();
  // ∂Σy/∂row_e = Σ_{t: s > 0} (e+1)·(Σ_d h_d)·h; a gate at zero is a dead zone.
  const at::Tensor active_TE = test::f1::scores_TE().gt(0).to(at::kDouble);
  const at::Tensor weight_TE = active_TE * test::matrix({1, 2, 3}, 1) * test::f1::hidden_TD().sum(1, /*keepdim=*/true);
  EXPECT_TRUE(close(toy.gradient("moe.1.router.rows"), weight_TE.t().mm(test::f1::hidden_TD()), 1e-12));

  ToyLayer loss = f1_remoe();
  test::loss_of(loss.router().route(test::f1::input()), "sparsity").value.backward();
  const at::Tensor share_TE = active_TE * test::matrix({1.5, 2, 1.5}, 1) / 6;  // loads are constants
  EXPECT_TRUE(close(loss.gradient("moe.1.router.rows"), share_TE.t().mm(test::f1::hidden_TD()), 1e-12));
}

TEST(RemoeRouter, ATokenWithoutExpertsIsCarriedByTheResidualAlone) {
  ToyLayer toy = f1_remoe();
  const at::Tensor hidden_TD = test::matrix({-.1, -1, 1, 1}, 2).requires_grad_();  // scores −.1 −1 −.15, and 1 1 −.75
  const MoeOutput output = toy.layer->forward(test::input_of(hidden_TD));
  EXPECT_EQ(test::integers(output.record.routing.sparse()->token_N), (Integers{1, 1}));
  EXPECT_EQ(test::numbers(output.delta_TD[0]), (std::vector<double>{0, 0}));
  (output.delta_TD.sum() + output.record.routing.losses[0].value).backward();
  EXPECT_EQ(hidden_TD.grad()[0].abs().sum().item<double>(), 0);
}

/// Hidden states have a mean. About zero, half of all tokens lie on either side of any row, whatever it learns.
at::Tensor tokens_TD(std::uint64_t seed) { return test::draws({200, 4}, seed) + 1; }

TEST(RemoeRouter, TrainingEndsAtTheWantedNumberOfExperts) {
  ToyShape shape;
  shape.num_experts = 8;
  shape.d_model = 4;
  shape.settings = {{"target_top_k", std::int64_t{2}}, {"lambda_start", 1e-4}};
  ToyLayer toy("remoe", shape);
  double sum = 0;
  const auto active = [&] {
    const Routing routing = toy.router().route(test::input_of(tokens_TD(9), RouteMode::kEvaluate));
    return static_cast<double>(routing.sparse()->expert_N.numel()) / 200;
  };
  const double before = active();
  for (int step = 0; step < 400; ++step) {
    MoeOutput output = toy.layer->forward(test::input_of(tokens_TD(100 + static_cast<std::uint64_t>(step))));
    (output.delta_TD - 1).square().mean().add(test::auxiliary_total(output.record.routing, output.delta_TD)).backward();
    for (Parameter& one : toy.parameters.all()) {
      if (one.tensor.grad().defined()) one.tensor.detach().sub_(one.tensor.grad(), 0.05);
      one.tensor.mutable_grad() = at::Tensor();
    }
    std::vector<LayerRecord> layers;
    layers.push_back(std::move(output.record));
    toy.router().after_step(layers, 0);
    if (step >= 350) sum += active() / 50;
  }
  EXPECT_GT(before, 2.5) << "dense at first";
  EXPECT_NEAR(sum, 2, 0.5) << "λ " << lambda_of(toy);
}

TEST(RemoeRouter, TheTargetFitsTheExperts) {
  ToyLayer toy = f1_remoe();
  EXPECT_EQ(toy.router().set("target_top_k", std::int64_t{4}), "'target_top_k' is 4, but this layer has 3 experts");
  EXPECT_EQ(toy.router().set("target_top_k", std::int64_t{2}), "");
  EXPECT_EQ(toy.router().top_k(), 2);
  EXPECT_EQ(test::said_of("[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n[moe]\nmethod = \"remoe\"\n"
                          "num_experts = 4\n[moe.router]\ntarget_top_k = 5\n"),
            "error: 'target_top_k' is 5, but a layer has 4 experts\nhint: 'num_experts' is in [moe]\n");
}

}  // namespace
}  // namespace moescope::moe
