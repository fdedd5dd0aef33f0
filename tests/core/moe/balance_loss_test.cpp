#include "core/moe/balance_loss.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

at::Tensor chosen(std::vector<double> experts, std::int64_t tokens) {
  return test::matrix(std::move(experts), tokens).to(at::kLong);
}

TEST(SwitchBalanceLoss, FixtureF1) {
  const at::Tensor probs_TE = at::softmax(test::f1::scores_TE(), 1);
  EXPECT_NEAR(switch_balance_loss(probs_TE, chosen({0, 1, 0, 1, 0, 2}, 6)).item<double>(), 1.058607, 1e-6);
}

TEST(SwitchBalanceLoss, IsOneUnderUniformRoutingAndTheNumberOfExpertsUnderCollapse) {
  const at::Tensor uniform_TE = at::full({4, 4}, 0.25, at::kDouble);
  EXPECT_DOUBLE_EQ(switch_balance_loss(uniform_TE, chosen({0, 1, 2, 3}, 4)).item<double>(), 1);
  const at::Tensor collapsed_TE = at::one_hot(at::zeros({4}, at::kLong), 4).to(at::kDouble);
  EXPECT_DOUBLE_EQ(switch_balance_loss(collapsed_TE, chosen({0, 0, 0, 0}, 4)).item<double>(), 4);
}

TEST(SwitchBalanceLoss, GroupsAreAveraged) {
  const at::Tensor probs_TE = at::softmax(test::f1::scores_TE(), 1);
  const at::Tensor expert_TK = chosen({0, 1, 0, 1, 0, 2}, 6);
  const double first = switch_balance_loss(probs_TE.narrow(0, 0, 3), expert_TK.narrow(0, 0, 3)).item<double>();
  const double second = switch_balance_loss(probs_TE.narrow(0, 3, 3), expert_TK.narrow(0, 3, 3)).item<double>();
  EXPECT_NEAR(switch_balance_loss(probs_TE, expert_TK, 3).item<double>(), (first + second) / 2, 1e-12);
  EXPECT_NE(first, second);
}

TEST(SwitchBalanceLoss, CountsEveryChoice) {
  const at::Tensor probs_TE = test::matrix({.5, .3, .2, .1, .2, .7}, 2);
  // f = (1, 2, 1)/4, P = (.3, .25, .45)
  EXPECT_NEAR(switch_balance_loss(probs_TE, chosen({0, 1, 2, 1}, 2)).item<double>(),
              3 * (.25 * .3 + .5 * .25 + .25 * .45), 1e-12);
}

TEST(SwitchBalanceLoss, NoTokensGiveZero) {
  const at::Tensor probs_TE = at::empty({0, 3}).requires_grad_();
  const at::Tensor loss = switch_balance_loss(probs_TE, at::empty({0, 1}, at::kLong), 1024);
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_TRUE(loss.requires_grad());
}

}  // namespace
}  // namespace moescope::moe
