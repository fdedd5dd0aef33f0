#include "core/analysis/specialisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace moescope::analysis {
namespace {

using Choices = std::vector<std::int16_t>;
using Counts = std::vector<std::int64_t>;

const Choices kClass_T = {0, 0, 0, 1, 1, 1, 2, 2};
const Choices kExpert_T = {0, 0, 1, 1, 1, 1, 2, 0};

Specialisation specialisation_of(const Choices& class_T, int num_classes, const Choices& expert_T, int num_experts) {
  return specialisation(class_expert_counts(class_T, num_classes, {expert_T, 1, num_experts}));
}

TEST(SpecialisationOf, TheOracleTableHasItsDigits) {
  const Specialisation result = specialisation_of(kClass_T, 3, kExpert_T, 3);
  EXPECT_NEAR(result.agreement.nmi, .546883, 5e-7);
  EXPECT_NEAR(result.agreement.ari, .304348, 5e-7);
  EXPECT_NEAR(result.agreement.purity_of_columns, .75, 1e-12);
  EXPECT_NEAR(result.homogeneity, .519624, 5e-7) << "as scikit-learn computes it";
  EXPECT_NEAR(result.completeness, .577160, 5e-7) << "as scikit-learn computes it";
  EXPECT_NEAR(2.0 * result.homogeneity * result.completeness / (result.homogeneity + result.completeness),
              result.agreement.nmi, 1e-12)
      << "their harmonic mean is the arithmetic NMI";
}

TEST(SpecialisationOf, HomogeneityIsTheShareOfTheClassThatTheExpertGivesAway) {
  const Specialisation result = specialisation_of(kClass_T, 3, kExpert_T, 3);
  double conditional = 0.0;  // H(class | expert), from the entropies per expert
  const std::vector<double> tokens_E = {3, 4, 1};
  for (std::size_t e = 0; e < 3; ++e) conditional += tokens_E[e] / 8.0 * result.class_entropy_E[e];
  EXPECT_NEAR(result.homogeneity, 1.0 - conditional / result.agreement.row_entropy, 1e-12);
}

TEST(SpecialisationOf, ShowsWhereEachClassGoes) {
  const Specialisation result = specialisation_of(kClass_T, 4, kExpert_T, 3);
  EXPECT_NEAR(result.share_CE.at(0, 0), 2.0 / 3.0, 1e-12);
  EXPECT_NEAR(result.share_CE.at(1, 1), 1.0, 1e-12);
  EXPECT_NEAR(result.share_CE.at(2, 2), .5, 1e-12);
  EXPECT_TRUE(std::isnan(result.share_CE.at(3, 0))) << "class 3 has no tokens";
  EXPECT_EQ(result.share_CE.num_tokens, 8);
}

TEST(SpecialisationOf, ManyExpertsLowerNmiButNotHomogeneity) {
  const Choices class_T = {0, 0, 0, 0, 1, 1, 1, 1};
  const Specialisation few = specialisation_of(class_T, 2, {0, 0, 0, 0, 1, 1, 1, 1}, 2);
  const Specialisation many = specialisation_of(class_T, 2, {0, 1, 2, 3, 4, 5, 6, 7}, 8);
  EXPECT_NEAR(few.agreement.nmi, 1.0, 1e-12);
  EXPECT_LT(many.agreement.nmi, .6);
  EXPECT_NEAR(many.homogeneity, 1.0, 1e-12);
  EXPECT_NEAR(many.completeness, 1.0 / 3.0, 1e-12);
}

TEST(SpecialisationOf, AnExpertWithoutTokensHasNoEntropy) {
  const Specialisation result = specialisation_of({0, 1}, 2, {0, 0}, 2);
  EXPECT_NEAR(result.class_entropy_E[0], std::log(2.0), 1e-12);
  EXPECT_TRUE(std::isnan(result.class_entropy_E[1]));
}

TEST(SpecialisationOf, NothingUnknownIsKnownFully) {
  const Specialisation one_class = specialisation_of({0, 0}, 1, {0, 1}, 2);
  EXPECT_EQ(one_class.homogeneity, 1.0);
  EXPECT_EQ(one_class.completeness, 0.0);
  const Specialisation one_expert = specialisation_of({0, 1}, 2, {0, 0}, 1);
  EXPECT_EQ(one_expert.homogeneity, 0.0);
  EXPECT_EQ(one_expert.completeness, 1.0);
}

TEST(SpecialisationOf, NoTokensAreNotANumber) {
  const Specialisation result = specialisation_of({}, 2, {}, 2);
  EXPECT_TRUE(std::isnan(result.homogeneity));
  EXPECT_TRUE(std::isnan(result.completeness));
}

TEST(PermutationBaseline, IsTheSameForTheSameSeed) {
  const LayerChoices choices{kExpert_T, 1, 3};
  const PermutationBaseline first = permutation_baseline(kClass_T, 3, choices, 7);
  const PermutationBaseline again = permutation_baseline(kClass_T, 3, choices, 7);
  EXPECT_EQ(first.nmi.count, 20);
  EXPECT_EQ(first.nmi.mean, again.nmi.mean);
  EXPECT_EQ(first.ari.sd, again.ari.sd);
  EXPECT_NE(first.nmi.mean, permutation_baseline(kClass_T, 3, choices, 8).nmi.mean);
}

TEST(PermutationBaseline, IsFarBelowARealSpecialisation) {
  std::mt19937 random(1);
  Choices class_T(2000);
  for (std::int16_t& c : class_T) c = static_cast<std::int16_t>(random() % 4);
  const PermutationBaseline chance = permutation_baseline(class_T, 4, {class_T, 1, 4}, 1);
  EXPECT_LT(chance.nmi.mean, .01);
  EXPECT_LT(chance.homogeneity.mean, .01);
  EXPECT_NEAR(chance.ari.mean, 0.0, .005);
  EXPECT_LT(chance.expert_purity.mean, .32);
  EXPECT_GT(chance.expert_purity.sd, 0.0);
}

TEST(PermutationBaseline, OfFewTokensIsNotZero) {
  // The reason to show it: with eight tokens chance alone gives a fair score.
  EXPECT_GT(permutation_baseline(kClass_T, 3, {kExpert_T, 1, 3}, 1).nmi.mean, .1);
}

TEST(PermutationBaseline, KeepsTokensWithoutAClassOut) {
  Choices class_T = kClass_T, expert_T = kExpert_T;
  class_T.push_back(-1);
  expert_T.push_back(2);
  EXPECT_EQ(permutation_baseline(class_T, 3, {expert_T, 1, 3}, 7).nmi.mean,
            permutation_baseline(kClass_T, 3, {kExpert_T, 1, 3}, 7).nmi.mean);
}

TEST(PermutationBaseline, WithoutDrawsOrTokensIsNotANumber) {
  EXPECT_TRUE(std::isnan(permutation_baseline(kClass_T, 3, {kExpert_T, 1, 3}, 7, 0).nmi.mean));
  EXPECT_TRUE(std::isnan(permutation_baseline({}, 3, {{}, 1, 3}, 7).nmi.mean));
}

TEST(TokenDeterminism, IsOneIfTheIdDecides) {
  EXPECT_EQ(token_determinism(Counts{5, 0, 2, /*expert 1:*/ 0, 9, 0}, 2), 1.0);
}

TEST(TokenDeterminism, CountsTokensAtTheUsualExpertOfTheirId) {
  // Token 0: 3 of 4; token 1: 5 of 8; token 2 never seen.
  EXPECT_DOUBLE_EQ(token_determinism(Counts{3, 3, 0, 1, 5, 0}, 2), 8.0 / 12.0);
}

TEST(TokenDeterminism, IsNeverBelowTheLargestLoadShare) {
  std::mt19937 random(12);
  for (int trial = 0; trial < 50; ++trial) {
    Counts count_EV(3 * 10);
    std::int64_t total = 0, largest = 0;
    for (std::size_t e = 0; e < 3; ++e) {
      std::int64_t load = 0;
      for (std::size_t v = 0; v < 10; ++v) load += count_EV[e * 10 + v] = static_cast<std::int64_t>(random() % 9);
      total += load;
      largest = std::max(largest, load);
    }
    const double determinism = token_determinism(count_EV, 3);
    EXPECT_GE(determinism, static_cast<double>(largest) / static_cast<double>(total));
    EXPECT_LE(determinism, 1.0);
  }
}

TEST(TokenDeterminism, NoCountsAreNotANumber) {
  EXPECT_TRUE(std::isnan(token_determinism({}, 2)));
  EXPECT_TRUE(std::isnan(token_determinism(Counts{0, 0}, 2)));
}

}  // namespace
}  // namespace moescope::analysis
