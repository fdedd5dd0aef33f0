#include "core/moe/softmax_topk.h"

#include <limits>

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;

TEST(SoftmaxTopk, KernelAndAtenAgree) {
  for (const int experts : {1, 2, 7, 16, 33}) {
    const at::Tensor scores_TE = test::draws({50, experts}, 3);
    const int top_k = std::min(3, experts);
    const SoftmaxTopk kernel = softmax_topk(scores_TE, top_k);
    const SoftmaxTopk aten = softmax_topk(scores_TE.to(at::kDouble), top_k);
    EXPECT_EQ(kernel.expert_TK.scalar_type(), at::kLong);
    EXPECT_TRUE(at::equal(kernel.expert_TK, aten.expert_TK)) << experts << " experts";
    EXPECT_TRUE(close(kernel.probs_TE, aten.probs_TE, 1e-6));
    EXPECT_TRUE(close(kernel.entropy_T, aten.entropy_T, 1e-5));
    EXPECT_TRUE(close(kernel.margin_T, aten.margin_T, 1e-6));
  }
}

TEST(SoftmaxTopk, LowestIndexWinsTies) {
  const at::Tensor scores_TE = test::matrix({0, 2, 2, 1, 2, 0, 0, 0, 0, 0}, 2);
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const SoftmaxTopk made = softmax_topk(scores_TE.to(type), 3);
    EXPECT_EQ(test::integers(made.expert_TK), (std::vector<std::int64_t>{1, 2, 4, 0, 1, 2}));
    EXPECT_EQ(test::numbers(made.margin_T), (std::vector<double>{0, 0}));
  }
}

TEST(SoftmaxTopk, BackwardIsThatOfTheSoftmax) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor ours = test::draws({9, 5}, 4, type).requires_grad_();
    const at::Tensor theirs = ours.detach().clone().requires_grad_();
    const at::Tensor weights = test::draws({9, 5}, 5, type);
    (softmax_topk(ours, 2).probs_TE * weights).sum().backward();
    (at::softmax(theirs, 1) * weights).sum().backward();
    EXPECT_TRUE(close(ours.grad(), theirs.grad(), 1e-6));
  }
}

TEST(SoftmaxTopk, StatisticsCarryNoGradient) {
  const SoftmaxTopk made = softmax_topk(test::draws({4, 3}, 1).requires_grad_(), 1);
  EXPECT_TRUE(made.probs_TE.requires_grad());
  EXPECT_FALSE(made.entropy_T.requires_grad());
  EXPECT_FALSE(made.margin_T.requires_grad());
  EXPECT_FALSE(made.expert_TK.requires_grad());
}

TEST(SoftmaxTopk, NonContiguousScoresAreRead) {
  const at::Tensor scores_TE = test::draws({5, 6}, 8).t();
  EXPECT_TRUE(close(softmax_topk(scores_TE, 1).probs_TE, at::softmax(scores_TE, 1), 1e-6));
}

TEST(SoftmaxTopk, FixtureF1) {
  const SoftmaxTopk made = softmax_topk(test::f1::scores_TE().to(at::kFloat), 1);
  EXPECT_EQ(test::integers(made.expert_TK), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 2}));
  EXPECT_TRUE(close(made.entropy_T, test::matrix({.832396, 1.002322, .900956, .777870, .441057, .511899}, 0), 1e-6));
  EXPECT_NEAR(made.margin_T.mean().item<double>(), .429982, 1e-6);
}

std::string message_for(double bad_value, at::ScalarType type) {
  at::Tensor scores_TE = at::zeros({5, 3}, type);
  scores_TE[2][1] = bad_value;
  scores_TE[4][0] = bad_value;
  try {
    softmax_topk(scores_TE, 1);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}

TEST(SoftmaxTopk, ScoresThatAreNotFiniteAreReportedWithTheFirstToken) {
  const std::string expected =
      "router scores are not finite: 2 tokens have NaN or infinite scores, the first is token 2 of the batch; a lower "
      "learning rate or tighter gradient clipping usually prevents it";
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity}) {
    EXPECT_EQ(message_for(bad, at::kFloat), expected);
    EXPECT_EQ(message_for(bad, at::kDouble), expected);
  }
}

TEST(SoftmaxTopkDeathTest, MoreChoicesThanExpertsIsOurBug) {
  EXPECT_DEATH(softmax_topk(at::zeros({2, 3}), 4), "cannot choose more experts than there are");
}

}  // namespace
}  // namespace moescope::moe
