#include "core/analysis/mixing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace moescope::analysis {
namespace {

using Floats = std::vector<float>;

constexpr float kNothing = -std::numeric_limits<float>::infinity();

Floats log_of(Floats probabilities) {
  for (float& value : probabilities) value = std::log(value);
  return probabilities;
}

TEST(MixingEntropyOf, EvenWeightsIsOneAndOneTokenIsZero) {
  EXPECT_NEAR(mixing_entropy(Floats{.25f, .25f, .25f, .25f}, 4).normalized_mean, 1.0, 1e-7);
  EXPECT_NEAR(mixing_entropy(Floats{0, 1, 0, 0}, 4).normalized_mean, 0.0, 1e-12);
  const MixingEntropy half = mixing_entropy(Floats{.25f, .25f, .25f, .25f, 0, 1, 0, 0}, 4);
  EXPECT_NEAR(half.normalized_mean, .5, 1e-7);
  EXPECT_NEAR(half.mean, std::log(4.0) / 2.0, 1e-7);
  EXPECT_EQ(half.num_rows, 2);
}

TEST(MixingEntropyOf, AGroupOfOneMixesNothing) { EXPECT_EQ(mixing_entropy(Floats{1, 1}, 1).normalized_mean, 0.0); }

TEST(MixingEntropyOf, RowsWithoutWeightsAreSkipped) {
  const MixingEntropy entropy = mixing_entropy(Floats{.5f, .5f, 0, 0}, 2);
  EXPECT_NEAR(entropy.normalized_mean, 1.0, 1e-12);
  EXPECT_EQ(entropy.skipped_rows, 1);
  EXPECT_TRUE(std::isnan(mixing_entropy({}, 2).mean));
}

TEST(MixingLeak, IsTheRelativeChangeOfTheOutput) {
  const Leak leak = mixing_leak(Floats{3, 4, 0, 2}, Floats{3, 3, 0, 2}, 2);
  EXPECT_DOUBLE_EQ(leak.mean, .1);
  EXPECT_DOUBLE_EQ(leak.max, .2);
  EXPECT_EQ(leak.num_tokens, 2);
}

TEST(MixingLeak, IsZeroForTokensTreatedAloneAndIgnoresScale) {
  const Floats output = {1, 2, 3, 4};
  EXPECT_EQ(mixing_leak(output, output, 2).mean, 0.0);
  EXPECT_DOUBLE_EQ(mixing_leak(Floats{300, 400}, Floats{300, 300}, 2).mean, .2);
}

TEST(MixingLeak, ATokenWithoutOutputHasNoRatio) {
  const Leak leak = mixing_leak(Floats{0, 0, 3, 4}, Floats{1, 1, 3, 3}, 2);
  EXPECT_DOUBLE_EQ(leak.mean, .2);
  EXPECT_EQ(leak.skipped_tokens, 1);
  EXPECT_TRUE(std::isnan(mixing_leak(Floats{0, 0}, Floats{1, 1}, 2).mean));
  EXPECT_TRUE(std::isnan(mixing_leak({}, {}, 2).max));
}

TEST(SymmetricKl, GivesTheOracleDigits) {
  const Floats p = log_of({.7f, .2f, .1f});
  const Floats q = log_of({.5f, .3f, .2f});
  EXPECT_NEAR(symmetric_kl(p, q), .088578, 5e-7);
  EXPECT_NEAR(symmetric_kl(p, q), (.085123 + .092033) / 2.0, 5e-7);
}

TEST(SymmetricKl, IsSymmetricZeroForEqualsAndNeverNegative) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(0.01f, 1.0f);
  for (int trial = 0; trial < 50; ++trial) {
    Floats p(8), q(8);
    float p_sum = 0.0f, q_sum = 0.0f;
    for (std::size_t v = 0; v < 8; ++v) {
      p_sum += p[v] = uniform(random);
      q_sum += q[v] = uniform(random);
    }
    for (std::size_t v = 0; v < 8; ++v) {
      p[v] = std::log(p[v] / p_sum);
      q[v] = std::log(q[v] / q_sum);
    }
    EXPECT_GT(symmetric_kl(p, q), 0.0);
    EXPECT_EQ(symmetric_kl(p, q), symmetric_kl(q, p));
    EXPECT_EQ(symmetric_kl(p, p), 0.0);
  }
}

TEST(SymmetricKl, StaysFiniteWhereProbabilitiesUnderflow) {
  const double divergence = symmetric_kl(Floats{0.0f, -900.0f}, Floats{-900.0f, 0.0f});
  EXPECT_NEAR(divergence, 900.0, 1e-9);
}

TEST(SymmetricKl, ProbabilityZeroInOneOnlyIsInfinite) {
  EXPECT_EQ(symmetric_kl(Floats{0, kNothing}, Floats{0, kNothing}), 0.0);
  EXPECT_EQ(symmetric_kl(Floats{0, kNothing}, log_of({.5f, .5f})), std::numeric_limits<double>::infinity());
}

TEST(MeanSymmetricKl, AveragesOverTokens) {
  const Floats p = log_of({.7f, .2f, .1f, .5f, .3f, .2f});
  const Floats q = log_of({.5f, .3f, .2f, .5f, .3f, .2f});
  EXPECT_NEAR(mean_symmetric_kl(p, q, 3), .088578 / 2.0, 5e-7);
  EXPECT_TRUE(std::isnan(mean_symmetric_kl({}, {}, 3)));
}

TEST(EnsembleGainOf, IsTheGainOfTheMeanProbability) {
  // One token, probabilities .2 and .8: mean probability .5.
  const EnsembleGain ensemble = ensemble_gain(log_of({.2f, .8f}), 2);
  EXPECT_NEAR(ensemble.ensemble_loss, std::log(2.0), 1e-7);
  EXPECT_NEAR(ensemble.mean_loss, -(std::log(.2) + std::log(.8)) / 2.0, 1e-7);
  EXPECT_NEAR(ensemble.gain, std::log(.4) - std::log(.5), 1e-7);
  EXPECT_EQ(ensemble.num_routings, 2);
  EXPECT_EQ(ensemble.num_tokens, 1);
}

TEST(EnsembleGainOf, IsNeverPositiveAndZeroWhenRoutingsAgree) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> uniform(-9.0f, 0.0f);
  for (int trial = 0; trial < 50; ++trial) {
    Floats log_prob_RT(4 * 10);
    for (float& value : log_prob_RT) value = uniform(random);
    EXPECT_LT(ensemble_gain(log_prob_RT, 4).gain, 0.0);
  }
  EXPECT_NEAR(ensemble_gain(Floats{-1, -2, -1, -2}, 2).gain, 0.0, 1e-12);
  EXPECT_NEAR(ensemble_gain(Floats{-1, -2}, 1).gain, 0.0, 1e-12);
  EXPECT_NEAR(ensemble_gain(Floats{-2000, -2000}, 2).ensemble_loss, 2000.0, 1e-9) << "nothing underflows";
}

TEST(EnsembleGainOf, ProbabilityZeroIsAnInfiniteLoss) {
  const EnsembleGain one = ensemble_gain(Floats{0, kNothing}, 2);
  EXPECT_EQ(one.mean_loss, std::numeric_limits<double>::infinity());
  EXPECT_NEAR(one.ensemble_loss, std::log(2.0), 1e-12);
  EXPECT_TRUE(std::isnan(ensemble_gain(Floats{kNothing, kNothing}, 2).gain));
  EXPECT_TRUE(std::isnan(ensemble_gain({}, 2).gain));
}

TEST(Top1Agreement, CountsPairsOfRoutings) {
  // Three routings of two tokens: the first token agrees in one pair of three, the second in all.
  EXPECT_DOUBLE_EQ(top1_agreement(std::vector<std::int32_t>{1, 5, 1, 5, 2, 5}, 3), 4.0 / 6.0);
  EXPECT_DOUBLE_EQ(top1_agreement(std::vector<std::int32_t>{1, 5, 1, 6}, 2), .5);
}

TEST(Top1Agreement, NeedsTwoRoutings) {
  EXPECT_TRUE(std::isnan(top1_agreement(std::vector<std::int32_t>{1, 5}, 1)));
  EXPECT_TRUE(std::isnan(top1_agreement({}, 2)));
}

}  // namespace
}  // namespace moescope::analysis
