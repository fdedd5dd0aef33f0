#include "core/analysis/log_odds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace moescope::analysis {
namespace {

using Counts = std::vector<std::int64_t>;

TEST(TopTokens, GivesTheSmoothedLogOddsByHand) {
  // Two experts, three tokens. Expert 0 has 90 + 5 + 5, expert 1 has 10 + 40 + 50; smoothing 0.5.
  const auto tops = top_tokens(Counts{90, 5, 5, 10, 40, 50}, 2, {3, 1, 0.5});
  ASSERT_EQ(tops[0].size(), 3u);
  EXPECT_EQ(tops[0][0].token_id, 0);
  EXPECT_EQ(tops[0][0].count, 90);
  EXPECT_NEAR(tops[0][0].log_odds, std::log(90.5 / 11.0) - std::log(10.5 / 91.0), 1e-12);
  EXPECT_EQ(tops[1][0].token_id, 2);
  EXPECT_NEAR(tops[1][0].log_odds, std::log(50.5 / 51.0) - std::log(5.5 / 96.0), 1e-12);
}

TEST(TopTokens, ACommonTokenDoesNotBeatACharacteristicOne) {
  const auto tops = top_tokens(Counts{1000, 40, 0, 1000, 0, 40}, 2, {1, 30, 0.5});
  ASSERT_EQ(tops[0].size(), 1u);
  EXPECT_EQ(tops[0][0].token_id, 1);
  EXPECT_EQ(tops[1][0].token_id, 2);
}

TEST(TopTokens, ARareTokenIsLeftOut) {
  const auto tops = top_tokens(Counts{29, 100, 0, 100}, 2, {12, 30, 0.5});
  ASSERT_EQ(tops[0].size(), 1u);
  EXPECT_EQ(tops[0][0].token_id, 1);
}

TEST(TopTokens, EqualOddsAreListedByTokenId) {
  const auto tops = top_tokens(Counts{50, 50, 50, 50, 50, 50}, 2, {2, 30, 0.5});
  ASSERT_EQ(tops[0].size(), 2u);
  EXPECT_EQ(tops[0][0].token_id, 0);
  EXPECT_EQ(tops[0][1].token_id, 1);
  EXPECT_NEAR(tops[0][0].log_odds, 0.0, 1e-12);
}

TEST(TopTokens, ADeadExpertAndAnEmptyVocabularyHaveEmptyLists) {
  const auto tops = top_tokens(Counts{0, 0, 50, 60}, 2, {});
  EXPECT_TRUE(tops[0].empty());
  EXPECT_EQ(tops[1].size(), 2u);
  EXPECT_EQ(top_tokens({}, 3, {}).size(), 3u);
  EXPECT_TRUE(top_tokens(Counts{50, 60}, 1, {})[0].empty()) << "one expert has no others to differ from";
}

}  // namespace
}  // namespace moescope::analysis
