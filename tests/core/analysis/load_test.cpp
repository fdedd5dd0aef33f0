#include "core/analysis/load.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace moescope::analysis {
namespace {

using Counts = std::vector<std::int64_t>;

TEST(LoadStatistics, GiveTheOracleDigits) {
  const LoadStatistics load = load_statistics(Counts{3, 2, 1});
  EXPECT_DOUBLE_EQ(load.share_E[0], .5);
  EXPECT_DOUBLE_EQ(load.total, 6.0);
  EXPECT_NEAR(load.entropy, 1.011404, 5e-7);
  EXPECT_NEAR(load.normalized_entropy, .920620, 5e-7);
  EXPECT_NEAR(load.effective_experts, 2.749459, 5e-7);
  EXPECT_NEAR(load.cv2_population, .166667, 5e-7);
  EXPECT_NEAR(load.cv2_sample, .25, 1e-12);
  EXPECT_NEAR(load.max_violation, .5, 1e-12);
  EXPECT_NEAR(load.min_violation, .5, 1e-12);
  EXPECT_NEAR(load.gini, .222222, 5e-7);
}

TEST(LoadStatistics, AMassIsTreatedLikeCounts) {
  const LoadStatistics load = load_statistics(std::vector<double>{1.5, 1.0, 0.5});
  EXPECT_NEAR(load.entropy, 1.011404, 5e-7);
  EXPECT_NEAR(load.gini, .222222, 5e-7);
}

TEST(LoadStatistics, PerfectBalanceHasNoViolation) {
  const LoadStatistics load = load_statistics(Counts{5, 5, 5, 5});
  EXPECT_NEAR(load.normalized_entropy, 1.0, 1e-12);
  EXPECT_NEAR(load.effective_experts, 4.0, 1e-12);
  EXPECT_EQ(load.cv2_population, 0.0);
  EXPECT_EQ(load.max_violation, 0.0);
  EXPECT_EQ(load.gini, 0.0);
}

TEST(LoadStatistics, CollapseReachesTheUpperEnds) {
  const LoadStatistics load = load_statistics(Counts{0, 12, 0, 0});
  EXPECT_EQ(load.entropy, 0.0);
  EXPECT_EQ(load.effective_experts, 1.0);
  EXPECT_DOUBLE_EQ(load.max_violation, 3.0) << "E / k − 1";
  EXPECT_DOUBLE_EQ(load.min_violation, 1.0);
  EXPECT_DOUBLE_EQ(load.cv2_population, 3.0);
  EXPECT_DOUBLE_EQ(load.gini, 0.75);
}

TEST(LoadStatistics, GiniEqualsItsDoubleSum) {
  std::mt19937 random(3);
  std::uniform_int_distribution<std::int64_t> draw(0, 50);
  Counts load(17);
  for (std::int64_t& n : load) n = draw(random);
  double sum = 0.0;
  double total = 0.0;
  for (const std::int64_t a : load) {
    total += static_cast<double>(a);
    for (const std::int64_t b : load) sum += std::abs(static_cast<double>(a - b));
  }
  EXPECT_NEAR(load_statistics(load).gini, sum / (2.0 * 17.0 * total), 1e-12);
}

TEST(LoadStatistics, OneExpertIsBalanced) {
  const LoadStatistics load = load_statistics(Counts{9});
  EXPECT_EQ(load.normalized_entropy, 1.0);
  EXPECT_EQ(load.effective_experts, 1.0);
  EXPECT_TRUE(std::isnan(load.cv2_sample));
}

TEST(LoadStatistics, NoLoadIsNotANumber) {
  for (const Counts& empty : {Counts{}, Counts{0, 0}}) {
    const LoadStatistics load = load_statistics(empty);
    EXPECT_EQ(load.total, 0.0);
    EXPECT_EQ(load.share_E.size(), empty.size());
    EXPECT_TRUE(std::isnan(load.entropy));
    EXPECT_TRUE(std::isnan(load.gini));
    EXPECT_TRUE(std::isnan(load.max_violation));
  }
}

TEST(DeadExperts, TellsDeadFromNearlyDead) {
  // 1000 tokens, E = 4: nearly dead is a share below 0.025.
  const DeadExperts dead = dead_experts(Counts{0, 24, 25, 951}, 1000);
  EXPECT_EQ(dead.dead, std::vector<int>{0});
  EXPECT_EQ(dead.nearly_dead, std::vector<int>{1});
  EXPECT_TRUE(dead.window_is_long_enough);
}

TEST(DeadExperts, AShortWindowIsSaidToBeShort) {
  EXPECT_FALSE(dead_experts(Counts{0, 399}, 199).window_is_long_enough);
  EXPECT_TRUE(dead_experts(Counts{0, 399}, 200).window_is_long_enough);
  EXPECT_FALSE(dead_experts(Counts{}, 0).window_is_long_enough);
}

TEST(DropStatistics, GiveTheRateOfF1WithCapacityTwo) {
  const std::vector<std::int32_t> token = {0, 1, 2, 3, 4, 5};
  const std::vector<std::int32_t> expert = {0, 1, 0, 1, 0, 2};
  const std::vector<std::uint8_t> kept = {1, 1, 1, 1, 0, 1};
  const DropStatistics drops = drop_statistics(token, expert, kept, 6);
  EXPECT_EQ(drops.assigned, 6);
  EXPECT_EQ(drops.dropped, 1);
  EXPECT_DOUBLE_EQ(drops.drop_rate, 1.0 / 6.0);
  EXPECT_DOUBLE_EQ(drops.unserved_tokens, 1.0 / 6.0);
  EXPECT_EQ(drops.tokens_by_experts, (Counts{1, 5}));
}

TEST(DropStatistics, ATokenWithOneSurvivingChoiceIsServed) {
  const std::vector<std::int32_t> token = {0, 1, 2, 0, 1, 2};
  const std::vector<std::int32_t> expert = {0, 0, -1, 1, 1, -1};
  const std::vector<std::uint8_t> kept = {1, 0, 0, 1, 1, 0};
  const DropStatistics drops = drop_statistics(token, expert, kept, 3);
  EXPECT_EQ(drops.assigned, 4) << "no assignment is not a drop";
  EXPECT_DOUBLE_EQ(drops.drop_rate, .25);
  EXPECT_DOUBLE_EQ(drops.unserved_tokens, 1.0 / 3.0);
  EXPECT_EQ(drops.tokens_by_experts, (Counts{1, 1, 1}));
}

TEST(DropStatistics, NothingAssignedIsNotANumber) {
  const DropStatistics drops = drop_statistics({}, {}, {}, 0);
  EXPECT_TRUE(std::isnan(drops.drop_rate));
  EXPECT_TRUE(std::isnan(drops.unserved_tokens));
  EXPECT_DOUBLE_EQ(drop_statistics({}, {}, {}, 2).unserved_tokens, 1.0);
}

}  // namespace
}  // namespace moescope::analysis
