#include "core/analysis/routing_entropy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/core/analysis/f1_routing.h"

namespace moescope::analysis {
namespace {

TEST(TokenEntropy, GivesTheDigitsOfF1) {
  const std::vector<double> entropy = token_entropy(f1::probs_TE(), 3);
  const std::vector<double> expected = {.832396, 1.002322, .900956, .777870, .441057, .511899};
  ASSERT_EQ(entropy.size(), expected.size());
  for (std::size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(entropy[t], expected[t], 6e-7) << "token " << t;
}

TEST(RoutingEntropy, GivesTheDigitsOfF1) {
  const RoutingEntropy result = routing_entropy(f1::probs_TE(), 3);
  EXPECT_NEAR(result.mean, .744417, 6e-7);
  EXPECT_NEAR(result.normalized_mean, .677597, 6e-7);
  EXPECT_NEAR(result.marginal, 1.088195, 6e-7);
  EXPECT_NEAR(result.mutual_information, .343779, 6e-7);
  EXPECT_EQ(result.num_tokens, 6);
  EXPECT_EQ(result.skipped_tokens, 0);
}

TEST(RoutingEntropy, ConfidentAndBalancedGivesAllTheInformation) {
  const RoutingEntropy result = routing_entropy(std::vector<float>{1, 0, 0, 1}, 2);
  EXPECT_EQ(result.mean, 0.0);
  EXPECT_NEAR(result.mutual_information, std::log(2.0), 1e-12);
}

TEST(RoutingEntropy, UniformAndCollapsedRoutingBothGiveNoInformation) {
  EXPECT_NEAR(routing_entropy(std::vector<float>{.5f, .5f, .5f, .5f}, 2).mutual_information, 0.0, 1e-12);
  EXPECT_NEAR(routing_entropy(std::vector<float>{1, 0, 1, 0}, 2).mutual_information, 0.0, 1e-12);
}

TEST(RoutingEntropy, ScoresThatDoNotSumToOneAreNormalisedFirst) {
  std::vector<float> scaled = f1::probs_TE();
  for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] *= static_cast<float>(i / 3 + 1);
  EXPECT_NEAR(routing_entropy(scaled, 3).mutual_information, .343779, 6e-7);
}

TEST(RoutingEntropy, ARowWithoutADistributionIsSkippedAndCounted) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> probs = {0, 0, nan, 1, -1, 2, .5f, .5f};
  const RoutingEntropy result = routing_entropy(probs, 2);
  EXPECT_EQ(result.num_tokens, 1);
  EXPECT_EQ(result.skipped_tokens, 3);
  EXPECT_NEAR(result.mean, std::log(2.0), 1e-12);
  EXPECT_TRUE(std::isnan(token_entropy(probs, 2)[0]));
}

TEST(RoutingEntropy, NoTokensIsNotANumberAndOneExpertIsCertain) {
  EXPECT_TRUE(std::isnan(routing_entropy({}, 4).mean));
  EXPECT_TRUE(token_entropy({}, 4).empty());
  EXPECT_EQ(routing_entropy(std::vector<float>{1, 1}, 1).normalized_mean, 0.0);
}

}  // namespace
}  // namespace moescope::analysis
