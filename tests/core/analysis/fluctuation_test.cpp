#include "core/analysis/fluctuation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace moescope::analysis {
namespace {

using Choices = std::vector<std::int16_t>;

/// The oracle of last fluctuation: four tokens over five checkpoints.
struct Oracle {
  std::vector<Choices> expert_CT;
  std::vector<Checkpoint> checkpoints;

  Oracle() {
    const std::vector<Choices> token_rows = {{0, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 1, 1, 2, 2}, {1, 1, 1, 1, 0}};
    for (std::size_t c = 0; c < 5; ++c) {
      Choices column;
      for (const Choices& row : token_rows) column.push_back(row[c]);
      expert_CT.push_back(column);
    }
    for (std::size_t c = 0; c < 5; ++c) checkpoints.push_back({500 * (static_cast<std::int64_t>(c) + 1), expert_CT[c]});
  }
};

TEST(FluctuationSeries, GivesTheOracleRatiosWithTheirSpacing) {
  const Oracle oracle;
  const std::vector<Fluctuation> series = fluctuation_series(oracle.checkpoints, 1);
  ASSERT_EQ(series.size(), 4u);
  const std::vector<double> expected = {.5, .25, .25, .25};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(series[i].first_choice, expected[i]);
    EXPECT_DOUBLE_EQ(series[i].choice_set, expected[i]);
    EXPECT_EQ(series[i].step, 1000 + 500 * static_cast<std::int64_t>(i));
    EXPECT_EQ(series[i].spacing_steps, 500);
    EXPECT_EQ(series[i].num_tokens, 4);
    EXPECT_FALSE(series[i].across_break);
  }
}

TEST(FluctuationSeries, ComparesTheFirstCheckpointAfterABreakWithTheReference) {
  const Choices teacher = {0, 1, 2, 0};
  const Choices student = {0, 0, 2, 1};
  const std::vector<Checkpoint> checkpoints = {{10, teacher}, {20, teacher, student}, {30, student}, {40, student}};
  const std::vector<Fluctuation> series = fluctuation_series(checkpoints, 1);
  ASSERT_EQ(series.size(), 3u);
  EXPECT_EQ(series[1].first_choice, 0.0) << "a frozen student does not fluctuate at the switch";
  EXPECT_TRUE(series[1].across_break);
  EXPECT_EQ(series[2].first_choice, 0.0);
  EXPECT_FALSE(series[2].across_break);
}

TEST(FluctuationSeries, OneCheckpointHasNothingToCompare) {
  const Choices only = {0, 1};
  const std::vector<Checkpoint> checkpoints = {{10, only}};
  EXPECT_TRUE(fluctuation_series(checkpoints, 1).empty());
  EXPECT_TRUE(fluctuation_series({}, 1).empty());
}

TEST(FluctuationBetween, ASetIgnoresTheOrderOfItsChoices) {
  const Fluctuation result = fluctuation_between(Choices{0, 1, 2, 3}, Choices{1, 0, 2, 4}, 2);
  EXPECT_DOUBLE_EQ(result.first_choice, .5);
  EXPECT_DOUBLE_EQ(result.choice_set, .25);
}

TEST(FluctuationBetween, AMissingChoiceEqualsOnlyAMissingChoice) {
  EXPECT_DOUBLE_EQ(fluctuation_between(Choices{3, -1}, Choices{3, -1}, 2).choice_set, 0.0);
  EXPECT_DOUBLE_EQ(fluctuation_between(Choices{3, -1}, Choices{3, 2}, 2).choice_set, 0.5);
  EXPECT_DOUBLE_EQ(fluctuation_between(Choices{-1}, Choices{0}, 1).first_choice, 1.0);
}

TEST(FluctuationBetween, NoTokensIsNotANumber) {
  EXPECT_TRUE(std::isnan(fluctuation_between({}, {}, 2).first_choice));
  EXPECT_TRUE(std::isnan(fluctuation_between({}, {}, 2).choice_set));
}

TEST(FlipsBetween, AChangedFirstChoiceCountsTwice) {
  const Choices before = {0, 0, 0, 1};
  const Choices after = {0, 1, 1, 1};
  const Flips flips = flips_between(before, after, 1, 4);
  EXPECT_DOUBLE_EQ(flips.count, 2.0 * fluctuation_between(before, after, 1).first_choice);
  EXPECT_DOUBLE_EQ(flips.rate, 0.25);
}

TEST(FlipsBetween, AnExpertThatOnlyLeavesCountsOnce) {
  EXPECT_DOUBLE_EQ(flips_between(Choices{0, 1}, Choices{0, -1}, 2, 2).count, 1.0);
  EXPECT_DOUBLE_EQ(flips_between(Choices{0, 1}, Choices{1, 0}, 2, 2).count, 0.0);
  EXPECT_TRUE(std::isnan(flips_between({}, {}, 1, 2).rate));
}

TEST(LastFluctuation, GivesTheOracleSteps) {
  const Oracle oracle;
  const LastFluctuation last = last_fluctuation(oracle.checkpoints, 1);
  EXPECT_EQ(last.last_step_T, (std::vector<std::int64_t>{0, 1000, 1500, 2000}));
  EXPECT_EQ(last.final_step, 2500);
  EXPECT_DOUBLE_EQ(share_beyond(last, .2), .75);
  EXPECT_DOUBLE_EQ(share_beyond(last, .5), .5);
  EXPECT_DOUBLE_EQ(share_beyond(last, .8), 0.0);
}

TEST(LastFluctuation, CountsATokenThatReturnedByItsLastDeviation) {
  const Choices home = {5};
  const Choices away = {6};
  const std::vector<Checkpoint> checkpoints = {{1, home}, {2, away}, {3, home}, {4, away}, {5, home}, {6, home}};
  EXPECT_EQ(last_fluctuation(checkpoints, 1).last_step_T, (std::vector<std::int64_t>{4}));
}

TEST(LastFluctuation, LooksAtFirstChoicesOnly) {
  const Choices before = {0, 1};
  const Choices after = {0, 2};
  const std::vector<Checkpoint> checkpoints = {{1, before}, {2, after}};
  EXPECT_EQ(last_fluctuation(checkpoints, 2).last_step_T, (std::vector<std::int64_t>{0}));
}

TEST(LastFluctuation, AStageSwitchAloneIsNoFluctuation) {
  // Token 0: teacher and student disagree, yet neither moves. Token 1: the teacher moved early. Token 2: moved after
  // the switch, away from the student.
  const Choices early = {0, 9, 4};
  const Choices teacher = {0, 1, 4};
  const Choices student = {3, 1, 4};
  const Choices after = {3, 1, 7};
  const std::vector<Checkpoint> checkpoints = {{10, early}, {20, teacher}, {30, teacher, student}, {40, after}};
  EXPECT_EQ(last_fluctuation(checkpoints, 1).last_step_T, (std::vector<std::int64_t>{0, 10, 30}));
}

TEST(LastFluctuation, NoCheckpointsGiveNothing) {
  const LastFluctuation last = last_fluctuation({}, 1);
  EXPECT_TRUE(last.last_step_T.empty());
  EXPECT_EQ(last.final_step, 0);
  EXPECT_TRUE(std::isnan(share_beyond(last, .5)));
  EXPECT_TRUE(cumulative_share(last).empty());
}

TEST(CumulativeShare, RisesToOneAndComplementsTheShareBeyond) {
  const Oracle oracle;
  const LastFluctuation last = last_fluctuation(oracle.checkpoints, 1);
  const std::vector<ShareAtProgress> curve = cumulative_share(last);
  ASSERT_EQ(curve.size(), 6u);
  const std::vector<double> expected = {.25, .25, .5, .75, 1, 1};
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve[i].progress, 0.2 * static_cast<double>(i));
    EXPECT_DOUBLE_EQ(curve[i].share, expected[i]);
    EXPECT_NEAR(curve[i].share, 1.0 - share_beyond(last, curve[i].progress), 1e-12);
  }
}

TEST(FlipsBetween, SaysHowManyTokensItRestsOn) {
  EXPECT_EQ(flips_between(Choices{0, 1, 2, 3}, Choices{0, 1, 2, 3}, 2, 4).num_tokens, 2);
}

TEST(RouterSaturation, RisesToOneOverTheOracle) {
  const Oracle oracle;
  const std::vector<Saturation> curve = router_saturation(oracle.checkpoints, 1);
  ASSERT_EQ(curve.size(), 5u);
  const std::vector<double> expected = {.5, .25, .5, .75, 1};
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve[i].share, expected[i]);
    EXPECT_DOUBLE_EQ(curve[i].progress, 0.2 * static_cast<double>(i + 1));
    EXPECT_EQ(curve[i].step, 500 * static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(curve[i].num_tokens, 4);
  }
}

TEST(RouterSaturation, CountsTheShareOfTheSet) {
  const Choices early = {0, 1, 2, 3};
  const Choices late = {1, 0, 2, 5};
  const std::vector<Checkpoint> checkpoints = {{1, early}, {2, late}};
  EXPECT_DOUBLE_EQ(router_saturation(checkpoints, 2)[0].share, .75) << "the order within a token does not matter";
}

TEST(RouterSaturation, IsNeverBelowTheShareOfTokensThatHaveSettled) {
  const Oracle oracle;
  const std::vector<Saturation> curve = router_saturation(oracle.checkpoints, 1);
  const LastFluctuation last = last_fluctuation(oracle.checkpoints, 1);
  for (const Saturation& point : curve) {
    const auto settled = std::count_if(last.last_step_T.begin(), last.last_step_T.end(),
                                       [&](std::int64_t step) { return step < point.step; });
    EXPECT_GE(point.share, static_cast<double>(settled) / 4.0);
  }
}

TEST(RouterSaturation, AStageSwitchAloneUnsettlesNothing) {
  const Choices teacher = {0, 1, 4};
  const Choices student = {3, 1, 4};
  const Choices after = {3, 1, 7};
  const std::vector<Checkpoint> checkpoints = {{10, teacher}, {20, teacher, student}, {30, after}};
  const std::vector<Saturation> curve = router_saturation(checkpoints, 1);
  EXPECT_DOUBLE_EQ(curve[0].share, 1.0);
  EXPECT_DOUBLE_EQ(curve[1].share, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(curve[2].share, 1.0);
}

TEST(RouterSaturation, NoCheckpointsOrNoTokensGiveNoShare) {
  EXPECT_TRUE(router_saturation({}, 1).empty());
  const std::vector<Checkpoint> checkpoints = {{1, {}}, {2, {}}};
  EXPECT_TRUE(std::isnan(router_saturation(checkpoints, 1)[0].share));
}

}  // namespace
}  // namespace moescope::analysis
