#include "core/analysis/sphere_geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "tests/core/analysis/f1_routing.h"

namespace moescope::analysis {
namespace {

using Rows = std::vector<float>;

TEST(Cosine, IsTheCosineOfTheAngle) {
  EXPECT_DOUBLE_EQ(cosine(Rows{2, 0}, Rows{0, 5}), 0.0);
  EXPECT_DOUBLE_EQ(cosine(Rows{1, 0}, Rows{-3, 0}), -1.0);
  EXPECT_NEAR(cosine(Rows{1, 1}, Rows{1, 0}), std::sqrt(0.5), 1e-12);
  EXPECT_TRUE(std::isnan(cosine(Rows{0, 0}, Rows{1, 0})));
}

TEST(CosineMatrix, ComparesEveryTokenWithEveryRow) {
  const std::vector<double> cosines = cosine_matrix(f1::kHidden_TD, f1::kRouter_ED, 2);
  ASSERT_EQ(cosines.size(), 18u);
  EXPECT_NEAR(cosines[0], 1.0, 1e-12);
  EXPECT_NEAR(cosines[2], -1.0 / std::sqrt(1.0625), 1e-12);
  EXPECT_NEAR(cosines[17], 2.125 / (std::sqrt(4.25) * std::sqrt(1.0625)), 1e-12) << "token 5 on its own expert";
}

TEST(MeanResultantLength, IsOneForCollapseAndZeroForOpposites) {
  EXPECT_NEAR(mean_resultant_length(Rows{1, 1, 5, 5, 0.1f, 0.1f}, 2), 1.0, 1e-7);
  EXPECT_NEAR(mean_resultant_length(Rows{1, 0, -7, 0}, 2), 0.0, 1e-12);
  EXPECT_NEAR(mean_resultant_length(Rows{1, 0, 0, 3}, 2), std::sqrt(0.5), 1e-12);
}

TEST(MeanResultantLength, LeavesOutZeroVectors) {
  EXPECT_NEAR(mean_resultant_length(Rows{0, 0, 2, 0}, 2), 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(mean_resultant_length(Rows{0, 0}, 2)));
  EXPECT_TRUE(std::isnan(mean_resultant_length({}, 2)));
}

TEST(SmallestAngle, FindsTheClosestPair) {
  EXPECT_NEAR(smallest_angle_rad(f1::kRouter_ED, 2), std::numbers::pi / 2 - std::atan(0.25), 1e-12);
  EXPECT_NEAR(smallest_angle_rad(Rows{1, 0, -1, 0}, 2), std::numbers::pi, 1e-12);
}

TEST(SmallestAngle, IsExactForNearlyParallelRows) {
  EXPECT_NEAR(smallest_angle_rad(Rows{1, 0, 1, 1e-6f}, 2), static_cast<double>(1e-6f), 1e-15);
}

TEST(SmallestAngle, NeedsTwoDirections) {
  EXPECT_TRUE(std::isnan(smallest_angle_rad(Rows{1, 0}, 2)));
  EXPECT_TRUE(std::isnan(smallest_angle_rad(Rows{1, 0, 0, 0}, 2)));
  EXPECT_NEAR(smallest_angle_rad(Rows{0, 0, 1, 0, 0, 1}, 2), std::numbers::pi / 2, 1e-12);
}

TEST(ExpertCaps, MeasureTheAngleToTheOwnRow) {
  const std::vector<std::int16_t> expert = {0, 0, -1, 1};
  const std::vector<Cap> caps = expert_caps(Rows{1, 0, 1, 1, 1, 0, 0, 2}, Rows{1, 0, 0, 1, 1, 1}, expert, 2);
  ASSERT_EQ(caps.size(), 3u);
  EXPECT_EQ(caps[0].num_tokens, 2);
  EXPECT_NEAR(caps[0].mean_angle_rad, std::numbers::pi / 8, 1e-12);
  EXPECT_NEAR(caps[0].sd_angle_rad, std::numbers::pi / 8, 1e-12);
  EXPECT_NEAR(caps[1].mean_angle_rad, 0.0, 1e-12);
  EXPECT_TRUE(std::isnan(caps[2].mean_angle_rad));
}

}  // namespace
}  // namespace moescope::analysis
