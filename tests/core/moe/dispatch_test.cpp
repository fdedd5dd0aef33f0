#include "core/moe/dispatch.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using test::close;
using Integers = std::vector<std::int64_t>;

at::Tensor experts_TK(std::vector<double> values, std::int64_t tokens) {
  return test::matrix(std::move(values), tokens).to(at::kLong);
}

SparseRouting routing_of(const at::Tensor& expert_TK) {
  return token_choice(expert_TK, at::ones(expert_TK.sizes(), at::kDouble));
}

/// Six tokens with two choices among four experts, of which expert 3 stays idle.
SparseRouting two_choices() { return routing_of(experts_TK({0, 1, 0, 2, 1, 0, 0, 1, 2, 0, 1, 2}, 6)); }

TEST(TokenChoice, ListsAllFirstChoicesBeforeAllSecondOnes) {
  const SparseRouting routing = token_choice(experts_TK({3, 1, 2, 0}, 2), test::matrix({.6, .4, .7, .3}, 2));
  EXPECT_EQ(test::integers(routing.token_N), (Integers{0, 1, 0, 1}));
  EXPECT_EQ(test::integers(routing.expert_N), (Integers{3, 2, 1, 0}));
  EXPECT_EQ(test::numbers(routing.gate_N), (std::vector<double>{.6, .7, .4, .3}));
  EXPECT_EQ(routing.choices_per_token, 2);
}

TEST(PlanDispatch, RowsAreSortedByExpertInListOrder) {
  const Dispatch dispatch = plan_dispatch(two_choices(), 6, 4, {});
  EXPECT_EQ(dispatch.offset_E1, (Integers{0, 5, 9, 12, 12}));
  EXPECT_EQ(test::integers(dispatch.source_M), (Integers{0, 1, 3, 8, 10, 2, 5, 6, 9, 4, 7, 11}));
  EXPECT_EQ(test::integers(dispatch.load_E), (Integers{5, 4, 3, 0}));
  EXPECT_EQ(test::integers(dispatch.dropped_E), (Integers{0, 0, 0, 0}));
  EXPECT_TRUE(dispatch.kept_N.all().item<bool>());
}

TEST(PlanDispatch, FirstChoicesAreServedBeforeSecondOnes) {
  const Dispatch dispatch = plan_dispatch(two_choices(), 6, 4, {3, 0});
  EXPECT_EQ(test::integers(dispatch.load_E), (Integers{5, 4, 3, 0}));
  EXPECT_EQ(test::integers(dispatch.dropped_E), (Integers{2, 1, 0, 0}));
  EXPECT_EQ(test::integers(dispatch.kept_N), (Integers{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1}));
}

TEST(PlanDispatch, EachGroupOfTokensFillsItsOwnSlots) {
  const SparseRouting routing = routing_of(experts_TK({0, 0, 0, 0, 0, 1}, 6));
  const Dispatch dispatch = plan_dispatch(routing, 6, 2, {1, 3});
  EXPECT_EQ(test::integers(dispatch.kept_N), (Integers{1, 0, 0, 1, 0, 1}));
}

TEST(PlanDispatch, AListThatIsNotTokenChoiceIsTakenAsItStands) {
  SparseRouting routing;  // as expert choice makes it: token 1 twice, token 0 never
  routing.token_N = experts_TK({1, 2, 1}, 0);
  routing.expert_N = experts_TK({0, 0, 1}, 0);
  routing.gate_N = test::matrix({.5, 2, 3}, 0);
  routing.choices_per_token = 0;
  const Dispatch dispatch = plan_dispatch(routing, 3, 2, {});
  const at::Tensor hidden_TD = test::matrix({1, 2, 3, 4, 5, 6}, 3);
  const at::Tensor rows_MD = gather_rows(hidden_TD, dispatch);
  EXPECT_EQ(test::numbers(rows_MD), (std::vector<double>{3, 4, 5, 6, 3, 4}));
  EXPECT_EQ(test::numbers(combine_rows(rows_MD, routing.gate_N, dispatch)),
            (std::vector<double>{0, 0, 10.5, 14, 10, 12}));
}

TEST(PlanDispatch, NoTokensIsFine) {
  const Dispatch dispatch = plan_dispatch(routing_of(at::empty({0, 2}, at::kLong)), 0, 3, {4, 0});
  EXPECT_EQ(dispatch.offset_E1, (Integers{0, 0, 0, 0}));
  EXPECT_EQ(gather_rows(at::empty({0, 5}), dispatch).sizes(), (at::IntArrayRef{0, 5}));
}

TEST(PlanDispatchDeathTest, AnExpertThatDoesNotExistIsOurBug) {
  EXPECT_DEATH(plan_dispatch(routing_of(experts_TK({0, 7}, 2)), 2, 3, {}), "names an expert of the layer");
}

/// Both moves in both forms, with every gradient.
struct Moved {
  at::Tensor hidden_TD, gate_N, delta_TD;
};

Moved move(at::ScalarType type, bool by_aten, const Capacity& capacity) {
  Moved made{test::draws({6, 5}, 1, type).requires_grad_(), test::draws({12}, 2, type).requires_grad_(), {}};
  const Dispatch dispatch = plan_dispatch(two_choices(), 6, 4, capacity);
  const at::Tensor rows_MD =
      by_aten ? gather_rows_aten(made.hidden_TD, dispatch) : gather_rows(made.hidden_TD, dispatch);
  const at::Tensor out_MD = rows_MD * rows_MD;  // something that is not linear, so that a wrong row shows
  made.delta_TD =
      by_aten ? combine_rows_aten(out_MD, made.gate_N, dispatch) : combine_rows(out_MD, made.gate_N, dispatch);
  (made.delta_TD * test::draws({6, 5}, 3, type)).sum().backward();
  return made;
}

TEST(Dispatch, LoopsAndAtenAgreeForwardAndBackward) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    for (const std::int64_t slots : {0, 2}) {
      const Moved loops = move(type, false, {slots, 0});
      const Moved aten = move(type, true, {slots, 0});
      const double tolerance = type == at::kFloat ? 1e-5 : 1e-13;
      EXPECT_TRUE(close(loops.delta_TD, aten.delta_TD, tolerance));
      EXPECT_TRUE(close(loops.hidden_TD.grad(), aten.hidden_TD.grad(), tolerance));
      EXPECT_TRUE(close(loops.gate_N.grad(), aten.gate_N.grad(), tolerance));
    }
  }
}

TEST(Dispatch, ADroppedAssignmentGetsNoGradient) {
  const Moved made = move(at::kDouble, false, {3, 0});
  for (const std::size_t dropped : {8u, 9u, 10u}) EXPECT_EQ(test::numbers(made.gate_N.grad())[dropped], 0);
}

TEST(Dispatch, WidthsBesideTheVectorLanesAreComplete) {
  for (const std::int64_t width : {1, 7, 8, 9, 17}) {
    const Dispatch dispatch = plan_dispatch(two_choices(), 6, 4, {});
    const at::Tensor hidden_TD = test::draws({6, width}, 1, at::kDouble);
    const at::Tensor gate_N = test::draws({12}, 2, at::kDouble).requires_grad_();
    combine_rows(gather_rows(hidden_TD, dispatch), gate_N, dispatch).sum().backward();
    EXPECT_TRUE(close(gate_N.grad(), hidden_TD.sum(1).repeat({2}), 1e-12)) << width;
  }
}

}  // namespace
}  // namespace moescope::moe
