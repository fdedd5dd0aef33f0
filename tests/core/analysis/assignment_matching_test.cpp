#include "core/analysis/assignment_matching.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>
#include <random>
#include <set>

namespace moescope::analysis {
namespace {

Matrix random_weights(std::size_t rows, std::size_t columns, std::mt19937& random, bool whole_numbers) {
  std::uniform_real_distribution<double> uniform(-4.0, 4.0);
  Matrix weight(rows, columns);
  for (double& value : weight.values) value = whole_numbers ? static_cast<int>(uniform(random)) : uniform(random);
  return weight;
}

/// Every order of the longer side. Requires: up to about 7 there.
double best_total_by_trial(const Matrix& weight) {
  const Matrix wide = weight.rows <= weight.columns ? weight : transposed(weight);
  std::vector<std::size_t> order(wide.columns);
  std::iota(order.begin(), order.end(), std::size_t{0});
  double best = -std::numeric_limits<double>::infinity();
  do {
    double total = 0.0;
    for (std::size_t i = 0; i < wide.rows; ++i) total += wide(i, order[i]);
    best = std::max(best, total);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

void expect_valid(const Matrix& weight, const Matching& matching) {
  std::set<int> used;
  double total = 0.0;
  ASSERT_EQ(matching.column_of_row.size(), weight.rows);
  for (std::size_t i = 0; i < weight.rows; ++i) {
    const int column = matching.column_of_row[i];
    if (column < 0) continue;
    EXPECT_TRUE(used.insert(column).second) << "column " << column << " is used twice";
    total += weight(i, static_cast<std::size_t>(column));
  }
  EXPECT_EQ(used.size(), std::min(weight.rows, weight.columns));
  EXPECT_NEAR(matching.total_weight, total, 1e-12);
}

TEST(MaxWeightMatching, FindsWhatTryingEverythingFinds) {
  std::mt19937 random(11);
  for (std::size_t rows = 1; rows <= 6; ++rows) {
    for (std::size_t columns = 1; columns <= 6; ++columns) {
      for (int trial = 0; trial < 20; ++trial) {
        const Matrix weight = random_weights(rows, columns, random, /*whole_numbers=*/trial % 2 == 0);  // these tie
        const Matching matching = max_weight_matching(weight);
        expect_valid(weight, matching);
        EXPECT_NEAR(matching.total_weight, best_total_by_trial(weight), 1e-12) << rows << " by " << columns;
      }
    }
  }
}

TEST(MaxWeightMatching, RecoversAPermutation) {
  std::mt19937 random(5);
  std::vector<int> order(64);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  Matrix weight = random_weights(64, 64, random, false);
  for (std::size_t i = 0; i < 64; ++i) weight(i, static_cast<std::size_t>(order[i])) += 1000.0;
  EXPECT_EQ(max_weight_matching(weight).column_of_row, order);
}

TEST(MaxWeightMatching, IsNotGreedy) {
  Matrix weight(2, 2);
  weight.values = {10, 9, 9, 0};
  EXPECT_EQ(max_weight_matching(weight).column_of_row, (std::vector<int>{1, 0}));
}

TEST(MaxWeightMatching, LeavesRowsOverOnlyIfTheyOutnumberColumns) {
  Matrix weight(3, 1);
  weight.values = {-5, -1, -2};
  const Matching matching = max_weight_matching(weight);
  EXPECT_EQ(matching.column_of_row, (std::vector<int>{-1, 0, -1}));
  EXPECT_EQ(matching.total_weight, -1.0);
}

TEST(MaxWeightMatching, AnEmptySideHasNoPairs) {
  EXPECT_TRUE(max_weight_matching(Matrix(0, 3)).column_of_row.empty());
  EXPECT_EQ(max_weight_matching(Matrix(2, 0)).column_of_row, (std::vector<int>{-1, -1}));
  EXPECT_EQ(max_weight_matching(Matrix()).total_weight, 0.0);
}

}  // namespace
}  // namespace moescope::analysis
