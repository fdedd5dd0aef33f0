#include "core/analysis/expert_similarity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace moescope::analysis {
namespace {

using Floats = std::vector<float>;

const Floats kX_TD = {1, 0, 0, 1, -1, 0, 0, -1};
const Floats kStretched_TD = {2, 0, 0, 1, -2, 0, 0, -1};

Floats gaussian_floats(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> gaussian;
  Floats values(size);
  for (float& value : values) value = gaussian(random);
  return values;
}

Floats joined(const std::vector<Floats>& parts) {
  Floats all;
  for (const Floats& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Rows of two turned by the 3-4-5 triangle (which scales by 5).
Floats turned(const Floats& rows) {
  Floats result = rows;
  for (std::size_t i = 0; i < rows.size(); i += 2) {
    result[i] = 3.0f * rows[i] - 4.0f * rows[i + 1];
    result[i + 1] = 4.0f * rows[i] + 3.0f * rows[i + 1];
  }
  return result;
}

TEST(LinearCka, GivesTheOracleDigits) {
  EXPECT_NEAR(linear_cka(kX_TD, 2, kStretched_TD, 2), .857493, 5e-7);
  EXPECT_NEAR(linear_cka(kX_TD, 2, turned(kX_TD), 2), 1.0, 1e-12);
}

TEST(LinearCka, DoesNotDependOnRotationShiftScaleOrOrderOfArguments) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Floats x = gaussian_floats(40, seed);
    const Floats y = gaussian_floats(60, 100 + seed);
    const double before = linear_cka(x, 2, y, 3);
    EXPECT_GT(before, 0.0);
    EXPECT_LT(before, 1.0);
    EXPECT_NEAR(linear_cka(turned(x), 2, y, 3), before, 1e-6);
    Floats moved = y;
    for (float& value : moved) value = 4.0f * value + 16.0f;
    EXPECT_NEAR(linear_cka(x, 2, moved, 3), before, 1e-5);
    EXPECT_NEAR(linear_cka(y, 3, x, 2), before, 1e-12);
  }
}

TEST(LinearCka, WhatDoesNotVaryHasNoValue) {
  EXPECT_TRUE(std::isnan(linear_cka(kX_TD, 2, Floats(8, 0.1f), 2)));
  EXPECT_TRUE(std::isnan(linear_cka({}, 2, {}, 2)));
  EXPECT_TRUE(std::isnan(linear_cka(Floats{1, 2}, 2, Floats{3, 4}, 2))) << "one token does not vary";
}

TEST(OutputCka, FillsTheTableAndItsMean) {
  const Similarity similarity = output_cka(joined({kX_TD, kStretched_TD, turned(kX_TD)}), 3, 2);
  EXPECT_NEAR(similarity.value_EE(0, 1), .857493, 5e-7);
  EXPECT_NEAR(similarity.value_EE(1, 0), .857493, 5e-7);
  EXPECT_NEAR(similarity.value_EE(0, 2), 1.0, 1e-12);
  EXPECT_NEAR(similarity.value_EE(1, 1), 1.0, 1e-12);
  EXPECT_NEAR(similarity.off_diagonal_mean, (.857493 * 2 + 1.0) / 3.0, 1e-6);
  EXPECT_EQ(similarity.num_rows, 4);
}

TEST(OutputCka, AnExpertThatDoesNotVaryIsLeftOutOfTheMean) {
  const Similarity similarity = output_cka(joined({kX_TD, Floats(8, 3.0f), turned(kX_TD)}), 3, 2);
  EXPECT_TRUE(std::isnan(similarity.value_EE(1, 1)));
  EXPECT_NEAR(similarity.off_diagonal_mean, 1.0, 1e-12);
}

TEST(OutputCosine, IsTheMeanOverTokens) {
  // Token 0: cosines 1, 0; token 1: −1, 1.
  const Floats output_ETD = joined({{1, 0, 0, 1}, {2, 0, 0, -1}, {0, 3, 0, 4}});
  const Similarity similarity = output_cosine(output_ETD, 3, 2, OutputCentering::kNone);
  EXPECT_NEAR(similarity.value_EE(0, 1), 0.0, 1e-12);
  EXPECT_NEAR(similarity.value_EE(0, 2), .5, 1e-12);
  EXPECT_NEAR(similarity.value_EE(1, 2), -.5, 1e-12);
  EXPECT_NEAR(similarity.value_EE(2, 2), 1.0, 1e-12);
  EXPECT_NEAR(similarity.off_diagonal_mean, 0.0, 1e-12);
  EXPECT_EQ(similarity.num_rows, 2);
}

TEST(OutputCosine, CenteringTakesOutWhatAllShare) {
  // A large common part, around which three experts lie symmetrically.
  const float height = std::sqrt(3.0f) / 2.0f;
  const Floats output_ETD = {101, 50, 99.5f, 50 + height, 99.5f, 50 - height};
  EXPECT_GT(output_cosine(output_ETD, 3, 2, OutputCentering::kNone).off_diagonal_mean, .999);
  const Similarity centered = output_cosine(output_ETD, 3, 2, OutputCentering::kMeanOverExperts);
  EXPECT_NEAR(centered.off_diagonal_mean, -.5, 1e-6);
}

TEST(OutputCosine, ATokenWithoutOutputIsLeftOut) {
  const Floats output_ETD = joined({{0, 0, 1, 0}, {1, 0, 1, 0}});
  EXPECT_NEAR(output_cosine(output_ETD, 2, 2, OutputCentering::kNone).off_diagonal_mean, 1.0, 1e-12);
}

TEST(OutputCosine, ExpertsThatAreTheSameHaveNothingOfTheirOwn) {
  const Floats same = joined({{0.1f, 0.7f}, {0.1f, 0.7f}, {0.1f, 0.7f}});
  EXPECT_NEAR(output_cosine(same, 3, 2, OutputCentering::kNone).off_diagonal_mean, 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(output_cosine(same, 3, 2, OutputCentering::kMeanOverExperts).off_diagonal_mean));
  const Floats zeros(6, 0.0f);
  EXPECT_TRUE(std::isnan(output_cosine(zeros, 3, 2, OutputCentering::kNone).off_diagonal_mean));
}

TEST(OutputCosine, OneExpertOrNoTokensHaveNoMean) {
  EXPECT_TRUE(std::isnan(output_cosine(Floats{1, 2}, 1, 2, OutputCentering::kNone).off_diagonal_mean));
  const Similarity empty = output_cosine({}, 2, 3, OutputCentering::kMeanOverExperts);
  EXPECT_TRUE(std::isnan(empty.value_EE(0, 0)));
  EXPECT_EQ(empty.num_rows, 0);
}

TEST(MatchedWeights, FindNeuronsInAnyOrder) {
  const std::size_t hidden = 12, width = 6;
  const Floats expert = gaussian_floats(hidden * width, 3);
  std::vector<std::size_t> order(hidden);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(9);
  std::shuffle(order.begin(), order.end(), random);
  Floats reordered;
  for (const std::size_t f : order) {
    for (std::size_t w = 0; w < width; ++w) reordered.push_back(2.0f * expert[f * width + w]);
  }
  const MatchedWeights same = matched_weights(joined({expert, reordered}), 2, static_cast<int>(hidden));
  EXPECT_NEAR(same.flattened.off_diagonal_mean, 1.0, 1e-12);
  EXPECT_NEAR(same.neurons.off_diagonal_mean, 1.0, 1e-12);
  EXPECT_EQ(same.flattened.num_rows, 12);

  const Floats unrelated = gaussian_floats(hidden * width, 77);
  const MatchedWeights different = matched_weights(joined({expert, unrelated}), 2, static_cast<int>(hidden));
  EXPECT_LT(different.flattened.off_diagonal_mean, .6);
  EXPECT_LT(different.neurons.off_diagonal_mean, .9);
  EXPECT_GT(different.neurons.off_diagonal_mean, different.flattened.off_diagonal_mean);
}

TEST(MatchedWeights, ANegatedNeuronMatchesWithItsSign) {
  const MatchedWeights weights = matched_weights(Floats{1, 0, 0, 2, /*second expert:*/ 0, -2, 1, 0}, 2, 2);
  EXPECT_NEAR(weights.neurons.value_EE(0, 1), 1.0, 1e-12);
  EXPECT_NEAR(weights.flattened.value_EE(0, 1), (1.0 - 4.0) / 5.0, 1e-12);
}

TEST(MatchedWeights, AnExpertOfZerosHasNoFlattenedValue) {
  const MatchedWeights weights = matched_weights(Floats{1, 2, 0, 0}, 2, 1);
  EXPECT_TRUE(std::isnan(weights.flattened.value_EE(0, 1)));
  EXPECT_EQ(weights.neurons.value_EE(0, 1), 0.0);
}

}  // namespace
}  // namespace moescope::analysis
