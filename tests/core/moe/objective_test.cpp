#include "core/moe/objective.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

LayerRecord record_with(std::vector<AuxiliaryLoss> losses) {
  LayerRecord record;
  record.routing.losses = std::move(losses);
  return record;
}

at::Tensor scalar(double value) { return at::scalar_tensor(value, at::kDouble).requires_grad_(); }

StepLosses compute(const at::Tensor& logits_TV, const at::Tensor& target_T, std::vector<LayerRecord> layers) {
  return single_pass_objective()->compute([&](int) { return ModelPass{logits_TV, layers}; }, target_T);
}

at::Tensor targets(std::vector<double> values) { return test::matrix(std::move(values), 0).to(at::kLong); }

TEST(SinglePassObjective, TaskIsTheMeanOverTokensWithATarget) {
  const at::Tensor logits_TV = test::draws({4, 5}, 1, at::kDouble);
  const StepLosses losses = compute(logits_TV, targets({1, -100, 0, 4}), {});
  const at::Tensor log_TV = at::log_softmax(logits_TV, 1);
  const double expected = -(log_TV[0][1] + log_TV[2][0] + log_TV[3][4]).item<double>() / 3;
  ASSERT_EQ(losses.terms.size(), 1u);
  EXPECT_EQ(losses.terms[0].name, "task");
  EXPECT_NEAR(losses.terms[0].value.item<double>(), expected, 1e-12);
  EXPECT_NEAR(losses.total.item<double>(), expected, 1e-12);
}

TEST(SinglePassObjective, AuxiliaryLossesAreSummedOverLayersByName) {
  const StepLosses losses =
      compute(at::zeros({2, 3}, at::kDouble), targets({0, 1}),
              {record_with({{"balance", scalar(2), 0.1}, {"distillation", scalar(5), 0.3}}),
               record_with({{"balance", scalar(3), 0.1}}), record_with({{"balance", scalar(7), 0}})});
  ASSERT_EQ(losses.terms.size(), 4u);
  EXPECT_EQ(losses.terms[1].name, "balance");
  EXPECT_EQ(losses.terms[1].value.item<double>(), 5);
  EXPECT_EQ(losses.terms[2].value.item<double>(), 5);
  EXPECT_EQ(losses.terms[3].value.item<double>(), 7);
  EXPECT_NEAR(losses.total.item<double>(), std::log(3.0) + 0.1 * 5 + 0.3 * 5, 1e-12);
  EXPECT_EQ(losses.layers.size(), 3u);
}

TEST(SinglePassObjective, EveryLayerOfALossGetsItsGradient) {
  const at::Tensor first = scalar(2);
  const at::Tensor second = scalar(3);
  compute(at::zeros({1, 3}, at::kDouble), targets({0}),
          {record_with({{"balance", first, 0.25}}), record_with({{"balance", second, 0.25}})})
      .total.backward();
  EXPECT_EQ(first.grad().item<double>(), 0.25);
  EXPECT_EQ(second.grad().item<double>(), 0.25);
}

TEST(SinglePassObjective, NothingToPredictGivesZeroNotNaN) {
  const at::Tensor logits_TV = at::zeros({2, 3}).requires_grad_();
  const StepLosses losses = compute(logits_TV, targets({-100, -100}), {});
  EXPECT_EQ(losses.total.item<double>(), 0);
  losses.total.backward();
  EXPECT_EQ(logits_TV.grad().abs().sum().item<double>(), 0);
  EXPECT_EQ(compute(at::empty({0, 3}), at::empty({0}, at::kLong), {}).total.item<double>(), 0);
}

}  // namespace
}  // namespace moescope::moe
