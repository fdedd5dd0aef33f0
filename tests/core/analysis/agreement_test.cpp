#include "core/analysis/agreement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

namespace moescope::analysis {
namespace {

using Choices = std::vector<std::int16_t>;

const Choices kA_T = {0, 0, 0, 1, 1, 1, 2, 2};
const Choices kB_T = {0, 0, 1, 1, 1, 1, 2, 0};

Agreement agreement_of(const Choices& a_T, int num_a, const Choices& b_T, int num_b) {
  return agreement(transition_counts({a_T, 1, num_a}, {b_T, 1, num_b}));
}

Choices random_choices(std::size_t size, int num_experts, std::mt19937& random) {
  std::uniform_int_distribution<int> uniform(0, num_experts - 1);
  Choices choices(size);
  for (std::int16_t& choice : choices) choice = static_cast<std::int16_t>(uniform(random));
  return choices;
}

TEST(Agreement, GivesTheOracleDigits) {
  const Agreement both = agreement_of(kA_T, 3, kB_T, 3);
  EXPECT_NEAR(both.mutual_information, .562335, 5e-7);
  EXPECT_NEAR(both.nmi, .546883, 5e-7);
  EXPECT_NEAR(both.nmi_geometric, .547637, 5e-7);
  EXPECT_NEAR(both.ari, .304348, 5e-7);
  EXPECT_NEAR(both.matched_agreement, .75, 1e-12);
  EXPECT_NEAR(both.kappa, .609756, 5e-7);
  EXPECT_NEAR(both.purity_of_rows, .75, 1e-12);
  EXPECT_NEAR(both.purity_of_columns, .75, 1e-12);
  EXPECT_NEAR(both.largest_share, .5, 1e-12);
  EXPECT_EQ(both.num_tokens, 8);
}

TEST(Agreement, AdjustedInformationIsThatOfScikitLearn) {
  EXPECT_NEAR(agreement_of(kA_T, 3, kB_T, 3).ami, .315383, 5e-7);
  EXPECT_NEAR(agreement_of({0, 0, 1, 2}, 3, {0, 1, 2, 3}, 4).ami, 0.0, 1e-12);
  const Choices one_apart = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1};  // loads so large that the sides must overlap
  EXPECT_NEAR(agreement_of(one_apart, 2, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, 2).ami, .365281, 5e-7);
  EXPECT_NEAR(agreement_of(one_apart, 2, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 2).ami, -.111111, 5e-7);
}

TEST(Agreement, DoesNotDependOnNames) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 20; ++trial) {
    const Choices a = random_choices(200, 5, random);
    Choices b = random_choices(200, 4, random);
    for (std::size_t t = 0; t < 100; ++t) b[t] = static_cast<std::int16_t>(a[t] % 4);
    Choices renamed = b;
    for (std::int16_t& choice : renamed) choice = static_cast<std::int16_t>((choice * 3 + 1) % 4);
    const Agreement before = agreement_of(a, 5, b, 4);
    const Agreement after = agreement_of(a, 5, renamed, 4);
    EXPECT_NEAR(after.nmi, before.nmi, 1e-12);
    EXPECT_NEAR(after.ami, before.ami, 1e-12);
    EXPECT_NEAR(after.ari, before.ari, 1e-12);
    EXPECT_NEAR(after.matched_agreement, before.matched_agreement, 1e-12);
    EXPECT_NEAR(after.purity_of_columns, before.purity_of_columns, 1e-12);
  }
}

TEST(Agreement, IsTheSameFromEitherSide) {
  std::mt19937 random(3);
  const Choices a = random_choices(300, 6, random);
  const Choices b = random_choices(300, 3, random);
  const Agreement there = agreement_of(a, 6, b, 3);
  const Agreement back = agreement_of(b, 3, a, 6);
  EXPECT_NEAR(there.nmi, back.nmi, 1e-12);
  EXPECT_NEAR(there.ami, back.ami, 1e-12);
  EXPECT_NEAR(there.ari, back.ari, 1e-12);
  EXPECT_NEAR(there.matched_agreement, back.matched_agreement, 1e-12);
  EXPECT_NEAR(there.purity_of_rows, back.purity_of_columns, 1e-12);
  EXPECT_NEAR(there.row_entropy, back.column_entropy, 1e-12);
}

TEST(Agreement, OfRenamedExpertsIsFull) {
  const Agreement both = agreement_of({0, 0, 1, 1, 2}, 3, {2, 2, 0, 0, 1}, 3);
  for (const double figure :
       {both.nmi, both.nmi_geometric, both.ami, both.ari, both.matched_agreement, both.kappa, both.purity_of_rows})
    EXPECT_NEAR(figure, 1.0, 1e-12);
  EXPECT_NEAR(both.mutual_information, both.row_entropy, 1e-12);
}

TEST(Agreement, OfUnrelatedChoicesIsNearZeroWhereChanceIsTakenOut) {
  std::mt19937 random(8);
  const Agreement both = agreement_of(random_choices(4000, 8, random), 8, random_choices(4000, 8, random), 8);
  EXPECT_NEAR(both.ari, 0.0, .01);
  EXPECT_NEAR(both.ami, 0.0, .01);
  EXPECT_NEAR(both.kappa, 0.0, .04) << "matching picks the best pairs, so a little is left";
  EXPECT_NEAR(both.chance_agreement, 1.0 / 8.0, .01);
}

TEST(Agreement, IndependentSidesShareNothing) {
  const Agreement both = agreement_of({0, 0, 1, 1}, 2, {0, 1, 0, 1}, 2);
  EXPECT_NEAR(both.mutual_information, 0.0, 1e-12);
  EXPECT_NEAR(both.kappa, 0.0, 1e-12);
  EXPECT_NEAR(both.ari, -.5, 1e-12);
}

TEST(Agreement, OneConstantSideAgreesByNothing) {
  const Agreement both = agreement_of({0, 0, 0}, 2, {0, 1, 2}, 3);
  EXPECT_EQ(both.nmi, 0.0);
  EXPECT_EQ(both.nmi_geometric, 0.0);
  EXPECT_NEAR(both.ami, 0.0, 1e-12);
  EXPECT_NEAR(both.ari, 0.0, 1e-12);
  EXPECT_NEAR(both.matched_agreement, 1.0 / 3.0, 1e-12);
  EXPECT_EQ(both.largest_share, 1.0);
  EXPECT_NEAR(both.kappa, 0.0, 1e-12);
}

TEST(Agreement, TwoConstantSidesAgree) {
  const Agreement both = agreement_of({1, 1, 1}, 2, {0, 0, 0}, 2);
  for (const double figure : {both.nmi, both.nmi_geometric, both.ami, both.ari, both.kappa, both.matched_agreement})
    EXPECT_EQ(figure, 1.0);
}

TEST(Agreement, EveryTokenAloneOnBothSidesAgrees) {
  for (int count = 2; count <= 20; ++count) {
    Choices a(static_cast<std::size_t>(count));
    std::iota(a.begin(), a.end(), std::int16_t{0});
    const Choices b(a.rbegin(), a.rend());
    const Agreement both = agreement_of(a, count, b, count);
    EXPECT_EQ(both.ari, 1.0);
    EXPECT_EQ(both.ami, 1.0);
  }
}

TEST(Agreement, ATokenWithoutAnExpertIsSkipped) {
  Choices a = kA_T, b = kB_T;
  a.push_back(-1);
  b.push_back(0);
  const Agreement both = agreement_of(a, 3, b, 3);
  EXPECT_NEAR(both.nmi, .546883, 5e-7);
  EXPECT_EQ(both.skipped_tokens, 1);
}

TEST(Agreement, NoTokensAreNotANumber) {
  const Agreement both = agreement_of({}, 2, {}, 3);
  EXPECT_EQ(both.num_tokens, 0);
  for (const double figure : {both.nmi, both.ami, both.ari, both.matched_agreement, both.kappa, both.purity_of_rows,
                              both.mutual_information, both.chance_agreement})
    EXPECT_TRUE(std::isnan(figure));
}

TEST(RunConsistency, GivesTheOracleDigits) {
  const RunConsistency runs = run_consistency(std::vector<double>{3, 2, 1, 3, 1, 2, 1, 2, 3}, 3);
  EXPECT_NEAR(runs.consistency, .111111, 5e-7);
  EXPECT_NEAR(runs.off_diagonal_mean, -.333333, 5e-7);
  EXPECT_EQ(runs.num_runs, 3);
}

TEST(RunConsistency, IsOneForProportionalLoadsAndNeverNegative) {
  EXPECT_NEAR(run_consistency(std::vector<double>{1, 2, 4, 10, 20, 40}, 3).consistency, 1.0, 1e-12);
  EXPECT_NEAR(run_consistency(std::vector<double>{1, 2, 3, 3, 2, 1}, 3).consistency, 0.0, 1e-12);
  EXPECT_NEAR(run_consistency(std::vector<double>{1, 2, 3, 3, 2, 1}, 3).off_diagonal_mean, -1.0, 1e-12);
}

TEST(RunConsistency, IsTheMeanOfAllPairsOfCorrelations) {
  std::mt19937 random(6);
  std::normal_distribution<double> gaussian;
  std::vector<double> load_RE(6 * 16);
  for (double& load : load_RE) load = 100.0 + gaussian(random);
  double sum = 0.0;
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      const std::vector<double> two = [&] {
        std::vector<double> rows(load_RE.begin() + static_cast<long>(16 * i),
                                 load_RE.begin() + static_cast<long>(16 * i + 16));
        rows.insert(rows.end(), load_RE.begin() + static_cast<long>(16 * j),
                    load_RE.begin() + static_cast<long>(16 * j + 16));
        return rows;
      }();
      sum += run_consistency(two, 16).off_diagonal_mean;
    }
  }
  EXPECT_NEAR(run_consistency(load_RE, 16).consistency, sum / 36.0, 1e-12);
}

TEST(RunConsistency, EqualLoadsHaveNoCorrelation) {
  const RunConsistency runs = run_consistency(std::vector<double>{3, 2, 1, 2, 2, 2}, 3);
  EXPECT_TRUE(std::isnan(runs.consistency));
  EXPECT_TRUE(std::isnan(runs.off_diagonal_mean));
  EXPECT_EQ(runs.num_runs, 2);
  EXPECT_TRUE(std::isnan(run_consistency(std::vector<double>{.1, .1, .1}, 3).consistency));
}

TEST(RunConsistency, OneRunHasNoPairAndNoRunHasNothing) {
  const RunConsistency one = run_consistency(std::vector<double>{3, 2, 1}, 3);
  EXPECT_NEAR(one.consistency, 1.0, 1e-12);
  EXPECT_TRUE(std::isnan(one.off_diagonal_mean));
  EXPECT_TRUE(std::isnan(run_consistency({}, 3).consistency));
}

}  // namespace
}  // namespace moescope::analysis
