// The scalar permutation against cases by hand and the properties that define it.

#include "kernels/permute.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/kernels/f1_fixture.h"
#include "tests/kernels/kernel_arrays.h"

namespace moescope::kernels {
namespace {

using Ints = std::vector<std::int32_t>;
using Flags = std::vector<std::uint8_t>;

PermuteArrays sort_by_expert(const Ints& expert_N, const PermuteShape& shape) {
  PermuteArrays arrays(shape);
  permute(expert_N.data(), shape, arrays.pointers());
  return arrays;
}

PermuteShape one_choice(std::int64_t num_tokens, std::int32_t num_experts, std::int32_t capacity = 0) {
  return {num_tokens, num_experts, capacity, num_tokens, 0};
}

TEST(Permute, GivesTheLoadsAndOrderOfF1) {
  const PermuteArrays got = sort_by_expert({f1::kBest_T.begin(), f1::kBest_T.end()}, one_choice(6, 3));
  EXPECT_EQ(got.count_E, Ints(f1::kLoad_E.begin(), f1::kLoad_E.end()));
  EXPECT_EQ(got.offset_E1, (Ints{0, 3, 5, 6}));
  EXPECT_EQ(got.source_of_row_N, (Ints{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(got.row_of_assignment_N, (Ints{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(got.slot_N, (Ints{0, 0, 1, 1, 2, 0}));
  EXPECT_EQ(got.kept_N, Flags(6, 1));
}

TEST(Permute, CapacityTwoDropsTokenFourOfF1) {
  const PermuteArrays got = sort_by_expert({f1::kBest_T.begin(), f1::kBest_T.end()}, one_choice(6, 3, 2));
  EXPECT_EQ(got.kept_N, (Flags{1, 1, 1, 1, 0, 1}));
  EXPECT_EQ(got.count_E, (Ints{3, 2, 1})) << "the load is counted before capacity";
  EXPECT_EQ(got.offset_E1, (Ints{0, 2, 4, 5}));
  EXPECT_EQ(got.source_of_row_N, (Ints{0, 2, 1, 3, 5, -1}));
  EXPECT_EQ(got.row_of_assignment_N, (Ints{0, 2, 1, 3, -1, 4}));
  EXPECT_EQ(got.slot_N, (Ints{0, 0, 1, 1, -1, 0}));
}

TEST(Permute, CapacityOneKeepsTheFirstArrivalOfEachExpert) {
  const PermuteArrays got = sort_by_expert({2, 0, 2, 0, 1, 1}, one_choice(6, 3, 1));
  EXPECT_EQ(got.kept_N, (Flags{1, 1, 0, 0, 1, 0}));
  EXPECT_EQ(got.source_of_row_N, (Ints{1, 4, 0, -1, -1, -1}));
}

TEST(Permute, EveryFirstChoiceIsServedBeforeAnySecondChoice) {
  // Three tokens, two choices: firsts 0 1 1, seconds 1 0 0. Expert 1 is full after the firsts.
  const PermuteArrays got = sort_by_expert({0, 1, 1, 1, 0, 0}, {6, 2, 2, 3, 0});
  EXPECT_EQ(got.kept_N, (Flags{1, 1, 1, 0, 1, 0}));
  EXPECT_EQ(got.source_of_row_N, (Ints{0, 4, 1, 2, -1, -1}));
}

TEST(Permute, EachGroupHasItsOwnCapacity) {
  const PermuteArrays got = sort_by_expert({0, 0, 0, 0, 1}, {5, 2, 1, 5, 2});
  EXPECT_EQ(got.kept_N, (Flags{1, 0, 1, 0, 1}));
  EXPECT_EQ(got.count_E, (Ints{4, 1}));
  EXPECT_EQ(got.offset_E1, (Ints{0, 2, 3}));
  EXPECT_EQ(got.slot_N, (Ints{0, -1, 1, -1, 0})) << "slots go on counting from group to group";
}

TEST(Permute, AGroupHoldsAllChoicesOfItsTokens) {
  // Four tokens in groups of two, two choices. Group 0 is list positions 0 1 4 5, group 1 is 2 3 6 7.
  const PermuteArrays got = sort_by_expert({0, 1, 0, 0, 1, 0, 1, 1}, {8, 2, 1, 4, 2});
  EXPECT_EQ(got.kept_N, (Flags{1, 1, 1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(got.source_of_row_N, (Ints{0, 2, 1, 6, -1, -1, -1, -1}));
}

TEST(Permute, NoAssignmentIsNeitherCountedNorDropped) {
  const PermuteArrays got = sort_by_expert({-1, 1, -1, 7, 0}, one_choice(5, 2));
  EXPECT_EQ(got.count_E, (Ints{1, 1}));
  EXPECT_EQ(got.kept_N, (Flags{0, 1, 0, 0, 1}));
  EXPECT_EQ(got.source_of_row_N, (Ints{4, 1, -1, -1, -1}));
}

TEST(Permute, AnEmptyListGivesZeroOffsets) {
  const PermuteArrays got = sort_by_expert({}, {0, 3, 2, 0, 0});
  EXPECT_EQ(got.count_E, (Ints{0, 0, 0}));
  EXPECT_EQ(got.offset_E1, (Ints{0, 0, 0, 0}));
}

TEST(Permute, OneExpertIsTheIdentity) {
  const PermuteArrays got = sort_by_expert({0, 0, 0, 0}, one_choice(4, 1));
  EXPECT_EQ(got.source_of_row_N, (Ints{0, 1, 2, 3}));
  EXPECT_EQ(got.offset_E1, (Ints{0, 4}));
}

TEST(GroupWalk, ListsEachAssignmentOnceInArrivalOrder) {
  for (const std::int64_t group_tokens : {1, 2, 3, 5, 7, 100}) {
    const GroupWalk walk = group_walk({21, 4, 1, 7, group_tokens});
    std::vector<std::int64_t> seen;
    for (std::int64_t group = 0; group < walk.num_groups(); ++group) {
      std::int64_t previous = -1;
      for (std::int64_t position = 0; position < walk.length(group); ++position) {
        const std::int64_t n = walk.assignment(group, position);
        EXPECT_EQ(walk.group_of(n), group);
        EXPECT_GT(n, previous);
        previous = n;
        seen.push_back(n);
      }
    }
    std::sort(seen.begin(), seen.end());
    std::vector<std::int64_t> all(21);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(seen, all) << "groups of " << group_tokens;
  }
}

void expect_conservation(const Ints& expert_N, const PermuteShape& shape, const PermuteArrays& got) {
  Ints load(size_of(shape.num_experts), 0);
  std::int32_t kept = 0;
  std::int32_t dropped = 0;
  std::int32_t assigned = 0;
  for (std::size_t n = 0; n < expert_N.size(); ++n) {
    if (expert_N[n] < 0) continue;
    ++load[size_of(expert_N[n])];
    ++assigned;
    (got.kept_N[n] != 0 ? kept : dropped)++;
  }
  EXPECT_EQ(got.count_E, load);
  EXPECT_EQ(kept + dropped, assigned);
  EXPECT_EQ(got.offset_E1.front(), 0);
  EXPECT_EQ(got.offset_E1.back(), kept);
  EXPECT_TRUE(std::is_sorted(got.offset_E1.begin(), got.offset_E1.end()));
}

void expect_maps_are_inverse_and_stable(const Ints& expert_N, const PermuteShape& shape, const PermuteArrays& got) {
  for (std::int32_t e = 0; e < shape.num_experts; ++e) {
    std::int32_t previous = -1;
    for (std::int32_t row = got.offset_E1[size_of(e)]; row < got.offset_E1[size_of(e) + 1]; ++row) {
      const std::int32_t n = got.source_of_row_N[size_of(row)];
      ASSERT_GE(n, 0);
      EXPECT_EQ(expert_N[size_of(n)], e);
      EXPECT_GT(n, previous) << "rows of an expert keep list order";
      EXPECT_EQ(got.row_of_assignment_N[size_of(n)], row);
      EXPECT_EQ(got.slot_N[size_of(n)], row - got.offset_E1[size_of(e)]);
      previous = n;
    }
  }
  for (std::size_t row = size_of(got.offset_E1.back()); row < expert_N.size(); ++row) {
    EXPECT_EQ(got.source_of_row_N[row], -1);
  }
  for (std::size_t n = 0; n < expert_N.size(); ++n) {
    EXPECT_EQ(got.kept_N[n] != 0, got.row_of_assignment_N[n] >= 0);
    EXPECT_EQ(got.kept_N[n] != 0, got.slot_N[n] >= 0);
  }
}

/// First come first served, told by counting for every assignment anew.
void expect_capacity_rule(const Ints& expert_N, const PermuteShape& shape, const PermuteArrays& got) {
  const auto group_of = [&](std::size_t n) {
    return shape.group_tokens == 0 ? 0 : static_cast<std::int64_t>(n) % shape.num_tokens / shape.group_tokens;
  };
  for (std::size_t n = 0; n < expert_N.size(); ++n) {
    std::int32_t before = 0;
    for (std::size_t m = 0; m < n; ++m) before += expert_N[m] == expert_N[n] && group_of(m) == group_of(n) ? 1 : 0;
    const bool fits = expert_N[n] >= 0 && (shape.capacity == 0 || before < shape.capacity);
    EXPECT_EQ(got.kept_N[n] != 0, fits) << "assignment " << n;
  }
}

TEST(Permute, EveryShapeConservesIsStableAndFollowsTheCapacityRule) {
  std::mt19937_64 random(7);
  for (const std::int64_t num_tokens : {1, 2, 17, 64}) {
    for (const std::int64_t choices : {1, 2, 3}) {
      for (const std::int32_t num_experts : {1, 3, 8, 40}) {
        for (const std::int32_t capacity : {0, 1, 4}) {
          for (const std::int64_t group_tokens : {0, 1, 5, 16, 64}) {
            const PermuteShape shape{num_tokens * choices, num_experts, capacity, num_tokens, group_tokens};
            const Ints expert_N = random_assignments(shape, random);
            const PermuteArrays got = sort_by_expert(expert_N, shape);
            expect_conservation(expert_N, shape, got);
            expect_maps_are_inverse_and_stable(expert_N, shape, got);
            expect_capacity_rule(expert_N, shape, got);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace moescope::kernels
