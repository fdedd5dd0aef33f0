#include "core/moe/top2.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

TEST(ShareCapacity, AtFactorOneIsTwiceTheRoundedUpShare) {
  const auto slots = [](double factor, std::int64_t tokens) {
    return share_capacity(factor, 2, tokens, 3, RouteMode::kTrain).slots;
  };
  EXPECT_EQ(slots(1, 6), 4);
  EXPECT_EQ(slots(1, 7), 6) << "2 · ⌈7/3⌉, not ⌈14/3⌉";
  EXPECT_EQ(slots(1.25, 7), 8);
  EXPECT_EQ(slots(1e-9, 7), 1) << "never 0, which would mean no limit";
  EXPECT_EQ(slots(0, 7), 0);
  EXPECT_EQ(share_capacity(1, 2, 7, 3, RouteMode::kProbe).slots, 0);
  EXPECT_EQ(share_capacity(1, 2, 7, 3, RouteMode::kTrain).group_tokens, 0);
}

TEST(RouterZLoss, IsTheMeanSquaredLogOfSummedExponentials) {
  EXPECT_NEAR(router_z_loss(test::f1::scores_TE()).item<double>(), 3.877026, 1e-6);
  EXPECT_NEAR(router_z_loss(at::zeros({5, 3}, at::kDouble)).item<double>(), 1.206949, 1e-6);  // (ln 3)²
  EXPECT_EQ(router_z_loss(at::zeros({0, 3})).item<double>(), 0);
}

TEST(RenormalisedGates, AddUpToOneAndAreASoftmaxOverTheTwo) {
  const at::Tensor scores_TE = test::f1::scores_TE();
  const at::Tensor expert_TK = std::get<1>(scores_TE.topk(2, 1));
  EXPECT_TRUE(test::close(renormalised_gates(at::softmax(scores_TE, 1), expert_TK),
                          at::softmax(scores_TE.gather(1, expert_TK), 1), 1e-12));
}

}  // namespace
}  // namespace moescope::moe
