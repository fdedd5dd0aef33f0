#include "core/analysis/effective_rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "core/analysis/small_matrix.h"

namespace moescope::analysis {
namespace {

TEST(SpectrumRanks, GiveTheOracleDigits) {
  const SpectrumRanks ranks = spectrum_ranks(std::vector<double>{3, 1, 0});
  EXPECT_NEAR(ranks.effective_rank, 1.754765, 5e-7);
  EXPECT_NEAR(ranks.participation_ratio, 1.219512, 5e-7);
  EXPECT_NEAR(ranks.stable_rank, 1.111111, 5e-7);
  EXPECT_NEAR(spectrum_ranks(std::vector<double>{1, 1, 1}).effective_rank, 3.0, 1e-12);
}

TEST(SpectrumRanks, DoNotDependOnScale) {
  EXPECT_NEAR(spectrum_ranks(std::vector<double>{3e150, 1e150}).participation_ratio, 100.0 / 82.0, 1e-12);
}

TEST(SpectrumRanks, NoSpectrumIsNotANumber) {
  EXPECT_TRUE(std::isnan(spectrum_ranks({}).effective_rank));
  EXPECT_TRUE(std::isnan(spectrum_ranks(std::vector<double>{0, 0}).stable_rank));
}

TEST(SingularValues, OfADiagonalAreItsEntries) {
  const std::vector<double> values = singular_values(std::vector<float>{0, 3, 0, 1, 0, 0, 0, 0, 0}, 3, false);
  ASSERT_EQ(values.size(), 3u);
  EXPECT_NEAR(values[0], 3.0, 1e-12);
  EXPECT_NEAR(values[1], 1.0, 1e-12);
  EXPECT_NEAR(values[2], 0.0, 1e-7);
}

TEST(SingularValues, AreTheSameForAMatrixAndItsTranspose) {
  const std::vector<float> wide = {1, 2, 3, 4, 5, 6.5f};
  const std::vector<float> tall = {1, 4, 2, 5, 3, 6.5f};
  const std::vector<double> a = singular_values(wide, 3, false);
  const std::vector<double> b = singular_values(tall, 2, false);
  ASSERT_EQ(a.size(), 2u);
  ASSERT_EQ(b.size(), 2u);
  EXPECT_NEAR(a[0], b[0], 1e-10);
  EXPECT_NEAR(a[1], b[1], 1e-7);
}

TEST(SingularValues, CenteringRemovesACommonOffset) {
  const std::vector<double> values = singular_values(std::vector<float>{101, 7, 99, 7}, 2, true);
  EXPECT_NEAR(values[0], std::sqrt(2.0), 1e-9);
  EXPECT_NEAR(values[1], 0.0, 1e-7);
  EXPECT_TRUE(singular_values({}, 4, true).empty());
}

TEST(SymmetricEigen, RebuildsARandomMatrixFromOrthonormalVectors) {
  std::mt19937 random(4);
  std::normal_distribution<double> gaussian;
  for (const std::size_t size : {1u, 2u, 3u, 17u, 64u}) {
    Matrix a(size, size);
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j <= i; ++j) a(i, j) = a(j, i) = gaussian(random);
    }
    const Eigen eigen = symmetric_eigen(a);
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j) {
        double rebuilt = 0.0;
        for (std::size_t k = 0; k < size; ++k) rebuilt += eigen.values[k] * eigen.vectors(k, i) * eigen.vectors(k, j);
        EXPECT_NEAR(rebuilt, a(i, j), 1e-11);
        EXPECT_NEAR(dot(eigen.vectors.row(i), eigen.vectors.row(j)), i == j ? 1.0 : 0.0, 1e-12);
      }
      if (i > 0) {
        EXPECT_LE(eigen.values[i], eigen.values[i - 1]);
      }
    }
  }
}

TEST(RowSpace, SpansTheRowsWhicheverSideIsLonger) {
  std::mt19937 random(7);
  std::normal_distribution<double> gaussian;
  for (const auto& [rows, columns] : std::vector<std::pair<std::size_t, std::size_t>>{{3, 9}, {9, 4}, {5, 5}}) {
    Matrix a(rows, columns);
    for (double& value : a.values) value = gaussian(random);
    const Eigen space = row_space(a, 1e-10);
    ASSERT_EQ(space.values.size(), std::min(rows, columns));
    for (std::size_t r = 0; r < rows; ++r) {  // projecting a row onto the basis gives it back
      std::vector<double> rest(a.row(r).begin(), a.row(r).end());
      for (std::size_t i = 0; i < space.values.size(); ++i) {
        const double component = dot(a.row(r), space.vectors.row(i));
        for (std::size_t d = 0; d < columns; ++d) rest[d] -= component * space.vectors(i, d);
      }
      EXPECT_NEAR(norm(rest), 0.0, 1e-10);
    }
    for (std::size_t i = 0; i < space.values.size(); ++i) {
      for (std::size_t j = 0; j <= i; ++j)
        EXPECT_NEAR(dot(space.vectors.row(i), space.vectors.row(j)), i == j ? 1.0 : 0.0, 1e-10);
    }
  }
}

TEST(RowSpace, LeavesOutDirectionsBelowTheCutOff) {
  Matrix a(3, 4);
  a.values = {1, 0, 0, 0, 0, 1e-4, 0, 0, 2, 0, 0, 0};
  EXPECT_EQ(row_space(a, 1e-10).values.size(), 2u);
  EXPECT_EQ(row_space(a, 1e-8).values.size(), 1u);
  EXPECT_NEAR(row_space(a, 1e-8).values[0], 5.0, 1e-12);
}

TEST(RowSpace, OfNothingIsEmpty) {
  EXPECT_TRUE(row_space(Matrix(0, 3), 1e-10).values.empty());
  EXPECT_TRUE(row_space(Matrix(2, 3), 1e-10).values.empty());
  EXPECT_EQ(row_space(Matrix(2, 3), 1e-10).vectors.rows, 0u);
}

}  // namespace
}  // namespace moescope::analysis
