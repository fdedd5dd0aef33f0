#include "core/moe/drop_policy.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

TEST(OrderOfService, FallsByProbabilityAndKeepsTheOrderOfEquals) {
  const at::Tensor probability_T = test::matrix({.2, .7, .2, .9, .7}, 0);
  EXPECT_EQ(test::integers(order_of_service(probability_T, 0)), (std::vector<std::int64_t>{3, 1, 4, 0, 2}));
  EXPECT_EQ(test::integers(order_of_service(probability_T, 5)), (std::vector<std::int64_t>{3, 1, 4, 0, 2}));
  EXPECT_EQ(order_of_service(at::empty({0}), 4).numel(), 0);
}

TEST(OrderOfService, GroupsStayTogether) {
  const at::Tensor probability_T = test::matrix({.2, .7, .3, .9, .7}, 0);
  EXPECT_EQ(test::integers(order_of_service(probability_T, 2)), (std::vector<std::int64_t>{1, 0, 3, 2, 4}));
}

TEST(ServedIn, NamesTheTokensOfTheRowsInEveryRunOfChoices) {
  const at::Tensor order_T = at::tensor({2, 0, 1}, at::kLong);
  const at::Tensor expert_TK = at::tensor({4, 5, 0, 1, 2, 3}, at::kLong).reshape({3, 2});  // token 2, token 0, token 1
  const SparseRouting routing = served_in(order_T, token_choice(expert_TK, at::ones({3, 2})));
  EXPECT_EQ(test::integers(routing.token_N), (std::vector<std::int64_t>{2, 0, 1, 2, 0, 1}));
  EXPECT_EQ(test::integers(routing.expert_N), (std::vector<std::int64_t>{4, 0, 2, 5, 1, 3}));
  EXPECT_EQ(routing.choices_per_token, 2);
}

}  // namespace
}  // namespace moescope::moe
