#include "core/moe/thor_objective.h"

#include <cmath>

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::matrix;

const LossTerm& term(const StepLosses& losses, const std::string& name) {
  for (const LossTerm& one : losses.terms) {
    if (one.name == name) return one;
  }
  static const LossTerm none;
  ADD_FAILURE() << "no term " << name;
  return none;
}

/// Hands out the same two logits at each step and counts the passes.
struct TwoPasses {
  at::Tensor first_TV, second_TV;
  std::vector<int> asked = {};
  std::vector<AuxiliaryLoss> auxiliary = {};

  MakePass make() {
    return [this](int pass) {
      asked.push_back(pass);
      ModelPass made;
      made.logits_TV = pass == 0 ? first_TV : second_TV;
      LayerRecord record;
      record.load_E = at::full({1}, pass, at::kLong);
      record.routing.losses = auxiliary;
      made.layers.push_back(std::move(record));
      return made;
    };
  }
};

at::Tensor targets(std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); }

TEST(ThorObjective, TheDivergenceIsHalfTheSumOfBothDirections) {
  const at::Tensor p = matrix({.7, .2, .1}, 1).log(), q = matrix({.5, .3, .2}, 1).log();
  EXPECT_NEAR(symmetric_divergence(p, q, targets({0})).item<double>(), .088578, 1e-6);
  EXPECT_NEAR(symmetric_divergence(q, p, targets({0})).item<double>(), .088578, 1e-6);
  EXPECT_NEAR(symmetric_divergence(p + 100, q - 3, targets({0})).item<double>(), .088578, 1e-6) << "logits shift";
}

TEST(ThorObjective, RowsWithoutATargetDoNotCount) {
  const at::Tensor p = matrix({.7, .2, .1, .9, .05, .05}, 2).log(), q = matrix({.5, .3, .2, .1, .1, .8}, 2).log();
  EXPECT_NEAR(symmetric_divergence(p, q, targets({0, kNoTarget})).item<double>(), .088578, 1e-6);
  EXPECT_EQ(symmetric_divergence(p, q, targets({kNoTarget, kNoTarget})).item<double>(), 0);
}

TEST(ThorObjective, StaysFiniteWhereProbabilitiesUnderflow) {
  const at::Tensor p = at::tensor({400.0F, 0.0F, -400.0F}).reshape({1, 3}).requires_grad_();
  const at::Tensor q = at::tensor({-400.0F, 0.0F, 400.0F}).reshape({1, 3}).requires_grad_();
  const at::Tensor divergence = symmetric_divergence(p, q, targets({0}));
  EXPECT_FLOAT_EQ(divergence.item<float>(), 800);
  divergence.backward();
  EXPECT_TRUE(at::isfinite(p.grad()).all().item<bool>() && at::isfinite(q.grad()).all().item<bool>());
}

TEST(ThorObjective, CrossEntropiesAreAddedAndTheFirstPassIsShown) {
  TwoPasses passes{test::draws({5, 4}, 1, at::kDouble), test::draws({5, 4}, 2, at::kDouble)};
  const at::Tensor target_T = targets({0, 3, kNoTarget, 1, 2});
  for (const double smoothing : {0.0, 0.1}) {
    passes.asked.clear();
    const StepLosses losses = thor_objective(5, smoothing)->compute(passes.make(), target_T);
    EXPECT_EQ(passes.asked, (std::vector<int>{0, 1}));
    const double task = mean_cross_entropy(passes.first_TV, target_T, smoothing).item<double>() +
                        mean_cross_entropy(passes.second_TV, target_T, smoothing).item<double>();
    const double consistency = symmetric_divergence(passes.first_TV, passes.second_TV, target_T).item<double>();
    EXPECT_EQ(losses.terms.front().name, "task");
    EXPECT_NEAR(losses.terms.front().value.item<double>(), task, 1e-12);
    EXPECT_NEAR(term(losses, "consistency").value.item<double>(), consistency, 1e-12) << "never smoothed";
    EXPECT_EQ(term(losses, "consistency").coefficient, 5);
    EXPECT_NEAR(losses.total.item<double>(), task + 5 * consistency, 1e-12);
    EXPECT_EQ(losses.layers.at(0).load_E.item<std::int64_t>(), 0);
  }
}

TEST(ThorObjective, GradientsReachBothPasses) {
  TwoPasses passes{test::draws({5, 4}, 1, at::kDouble).requires_grad_(),
                   test::draws({5, 4}, 2, at::kDouble).requires_grad_()};
  const StepLosses losses = thor_objective(5, 0)->compute(passes.make(), targets({0, 3, 3, 1, 2}));
  term(losses, "consistency").value.backward();
  EXPECT_GT(passes.first_TV.grad().abs().sum().item<double>(), 1e-3);
  EXPECT_GT(passes.second_TV.grad().abs().sum().item<double>(), 1e-3) << "no stop-gradient on either side";
}

TEST(ThorObjective, TheWeightIsLive) {
  TwoPasses passes{test::draws({5, 4}, 1, at::kDouble), test::draws({5, 4}, 2, at::kDouble)};
  const auto objective = thor_objective(5, 0);
  const auto weight = [&] {
    return term(objective->compute(passes.make(), targets({0, 3, 3, 1, 2})), "consistency").coefficient;
  };
  objective->set("consistency_weight", 2.5);
  EXPECT_EQ(weight(), 2.5);
  objective->set("consistency_weight", std::int64_t{3});
  EXPECT_EQ(weight(), 3);
  objective->set("draw", std::string("token"));  // another field of the section
  EXPECT_EQ(weight(), 3);
}

TEST(ThorObjective, AuxiliaryLossesOfBothPassesCount) {
  TwoPasses passes{test::draws({2, 4}, 1, at::kDouble), test::draws({2, 4}, 2, at::kDouble)};
  passes.auxiliary = {{"balance", at::full({}, 1.5, at::kDouble), 0.1}};
  const StepLosses losses = thor_objective(0, 0)->compute(passes.make(), targets({0, 3}));
  EXPECT_EQ(term(losses, "balance").value.item<double>(), 3);
  EXPECT_NEAR(losses.total.item<double>(), losses.terms.front().value.item<double>() + 0.3, 1e-12);
}

/// One expert and nothing random: both passes are one.
TEST(ThorObjective, WithOneExpertTheDivergenceIsExactlyZero) {
  test::ToyShape shape;
  shape.num_experts = 1;
  test::ToyLayer toy("thor", shape);
  const at::Tensor target_T = targets({0, 1, 2, 3, 0, 1});
  const MakePass make_pass = [&](int pass) {
    MoeOutput output = toy.layer->forward(
        test::input_of(test::draws({6, 4}, 1), RouteMode::kTrain, 100 + static_cast<std::uint64_t>(pass)));
    ModelPass made;
    made.logits_TV = output.delta_TD;
    made.layers.push_back(std::move(output.record));
    return made;
  };
  const StepLosses losses = thor_objective(5, 0.1)->compute(make_pass, target_T);
  EXPECT_EQ(term(losses, "consistency").value.item<double>(), 0);
  EXPECT_FLOAT_EQ(losses.total.item<float>(),
                  2 * mean_cross_entropy(make_pass(0).logits_TV, target_T, 0.1).item<float>());
}

TEST(ThorObjective, IsTheMethodsOwnWithTheConfiguredWeight) {
  config::RunConfig config;
  config.router = {{"consistency_weight", 1.25}};
  TwoPasses passes{test::draws({2, 4}, 1), test::draws({2, 4}, 2)};
  const StepLosses losses = find_method("thor")->make_objective(config)->compute(passes.make(), targets({0, 3}));
  EXPECT_EQ(term(losses, "consistency").coefficient, 1.25);
}

}  // namespace
}  // namespace moescope::moe
