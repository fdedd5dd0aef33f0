#include "core/moe/groups.h"

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

using Integers = std::vector<std::int64_t>;

/// `sequences` of `length` cells, of which `cell_T` hold tokens (all, if it is undefined).
RouterInput batch(std::int64_t sequences, std::int64_t length, const at::Tensor& cell_T = {}) {
  const std::int64_t tokens = cell_T.defined() ? cell_T.numel() : sequences * length;
  RouterInput input{at::zeros({tokens, 4}), at::zeros({sequences, length}, at::kLong)};
  input.cell_T = cell_T;
  return input;
}

/// Members by group, −1 where there is none.
Integers members(const TokenGroups& groups) {
  return test::integers(groups.member_GI.masked_fill(groups.present_GI.logical_not(), -1));
}

/// Two sequences of three cells; token 0 in cell 0, 1 in 1, 2 in 3.
at::Tensor ragged() { return at::tensor({0, 1, 3}, at::kLong); }

TEST(TokenGroups, TheBatchIsOneGroup) {
  EXPECT_EQ(members(batch_group(batch(2, 3))), (Integers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(members(batch_group(batch(2, 3, ragged()))), (Integers{0, 1, 2}));
  EXPECT_EQ(batch_group(batch(2, 0)).member_GI.size(0), 0) << "without tokens there is no group";
}

TEST(TokenGroups, SequencesAreRowsOfTheBatch) {
  EXPECT_EQ(members(sequence_groups(batch(2, 3))), (Integers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(sequence_groups(batch(2, 3)).member_GI.size(0), 2);
  EXPECT_EQ(members(sequence_groups(batch(2, 3, ragged()))), (Integers{0, 1, -1, 2, -1, -1}));
}

TEST(TokenGroups, PositionsCutAcrossSequences) {
  EXPECT_EQ(members(position_groups(batch(4, 2), 2)), (Integers{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(members(position_groups(batch(3, 2), 2)), (Integers{0, 2, 4, -1, 1, 3, 5, -1})) << "the last is smaller";
  EXPECT_EQ(members(position_groups(batch(3, 2), 0)), (Integers{0, 2, 4, 1, 3, 5})) << "0 is all of them";
  EXPECT_EQ(members(position_groups(batch(2, 3, ragged()), 2)), (Integers{0, 2, 1, -1})) << "nobody stands at 2";
}

TEST(TokenGroups, TheAbsentGetNothingFromASoftmax) {
  const TokenGroups groups = position_groups(batch(3, 1), 2);
  const at::Tensor share = at::softmax(mask_absent(at::ones({2, 2, 3}), groups.present_GI), 1);
  EXPECT_TRUE(at::equal(share[0], at::full({2, 3}, .5)));
  EXPECT_TRUE(at::equal(share[1], at::tensor({1, 1, 1, 0, 0, 0}, at::kFloat).view({2, 3})));
}

}  // namespace
}  // namespace moescope::moe
