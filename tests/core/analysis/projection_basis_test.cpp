#include "core/analysis/projection_basis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/analysis/small_matrix.h"

namespace moescope::analysis {
namespace {

std::vector<float> gaussian_rows(std::size_t rows, std::size_t dim, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> gaussian;
  std::vector<float> values(rows * dim);
  for (float& value : values) value = gaussian(random);
  return values;
}

Matrix axes_of(const ProjectionBasis& basis) {
  Matrix axes(3, static_cast<std::size_t>(basis.dim));
  axes.values = basis.axes_3D;
  return axes;
}

void expect_orthonormal(const ProjectionBasis& basis) {
  const Matrix gram = row_gram(axes_of(basis));
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(gram(i, j), i == j ? 1.0 : 0.0, 1e-10);
  }
}

TEST(RouterBasis, ProjectsNothingInThreeDimensions) {
  const ProjectionBasis basis = router_basis(gaussian_rows(8, 3, 1), 3);
  EXPECT_EQ(basis.axes_3D, (std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(basis.kept_variance, 1.0);
}

TEST(RouterBasis, FindsTheLongestDirectionsOfADiagonal) {
  // Five dimensions, lengths 1, 4, 2, 0, 3 along the axes: 4, 3 and 2 are kept.
  std::vector<float> rows(25, 0.0f);
  const std::vector<float> length = {1, 4, -2, 0, 3};
  for (std::size_t i = 0; i < 5; ++i) rows[i * 5 + i] = length[i];
  const ProjectionBasis basis = router_basis(rows, 5);
  EXPECT_NEAR(basis.axes_3D[1], 1.0, 1e-12);
  EXPECT_NEAR(basis.axes_3D[5 + 4], 1.0, 1e-12);
  EXPECT_NEAR(basis.axes_3D[10 + 2], 1.0, 1e-12) << "the largest component is made positive";
  EXPECT_NEAR(basis.kept_variance, 29.0 / 30.0, 1e-12);
}

TEST(RouterBasis, IsOrthonormalForFewManyAndNoRows) {
  for (const std::size_t rows : {0u, 1u, 2u, 3u, 8u, 40u}) {
    const ProjectionBasis basis = router_basis(gaussian_rows(rows, 16, 2), 16);
    expect_orthonormal(basis);
    if (rows == 0) {
      EXPECT_TRUE(std::isnan(basis.kept_variance));
    } else if (rows <= 3) {
      EXPECT_NEAR(basis.kept_variance, 1.0, 1e-10);
    } else {
      EXPECT_LT(basis.kept_variance, 1.0);
    }
  }
}

TEST(RouterBasis, KeepsMoreThanOtherAxesDo) {
  const std::vector<float> rows = gaussian_rows(20, 10, 3);
  const ProjectionBasis basis = router_basis(rows, 10);
  double kept = 0.0;
  double first_three = 0.0;
  double total = 0.0;
  const Matrix axes = axes_of(basis);
  const Matrix a = to_matrix(rows, 10);
  for (std::size_t r = 0; r < 20; ++r) {
    total += dot(a.row(r), a.row(r));
    for (std::size_t axis = 0; axis < 3; ++axis) {
      kept += std::pow(dot(a.row(r), axes.row(axis)), 2);
      first_three += a(r, axis) * a(r, axis);
    }
  }
  EXPECT_NEAR(basis.kept_variance, kept / total, 1e-10);
  EXPECT_GT(kept, first_three);
}

TEST(AlignedTo, UndoesFlipsAndSwapsOfTheAxes) {
  const ProjectionBasis old = router_basis(gaussian_rows(12, 8, 4), 8);
  ProjectionBasis shuffled = old;
  for (std::size_t d = 0; d < 8; ++d) {
    shuffled.axes_3D[d] = -old.axes_3D[8 + d];
    shuffled.axes_3D[8 + d] = old.axes_3D[16 + d];
    shuffled.axes_3D[16 + d] = old.axes_3D[d];
  }
  const ProjectionBasis aligned = aligned_to(shuffled, old);
  for (std::size_t i = 0; i < old.axes_3D.size(); ++i) EXPECT_NEAR(aligned.axes_3D[i], old.axes_3D[i], 1e-9);
}

TEST(AlignedTo, KeepsTheSpaceOfTheFreshBasis) {
  const ProjectionBasis old = router_basis(gaussian_rows(12, 8, 5), 8);
  const ProjectionBasis fresh = router_basis(gaussian_rows(12, 8, 6), 8);
  const ProjectionBasis aligned = aligned_to(fresh, old);
  expect_orthonormal(aligned);
  EXPECT_EQ(aligned.kept_variance, fresh.kept_variance);
  const Matrix coordinates = product(axes_of(aligned), transposed(axes_of(fresh)));
  const Matrix gram = row_gram(coordinates);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(gram(i, i), 1.0, 1e-9) << "an axis left the fresh space";
}

TEST(AlignedTo, AFreshBasisOrthogonalToTheOldStaysABasis) {
  std::vector<float> low(7 * 7, 0.0f);
  std::vector<float> high(7 * 7, 0.0f);
  for (std::size_t i = 0; i < 3; ++i) low[i * 7 + i] = high[i * 7 + i + 3] = static_cast<float>(3 - i);
  expect_orthonormal(aligned_to(router_basis(high, 7), router_basis(low, 7)));
}

TEST(ProcrustesRotation, OfARotationIsItself) {
  const double c = std::cos(0.7);
  const double s = std::sin(0.7);
  const std::array<double, 9> rotation = {c, -s, 0, s, c, 0, 0, 0, 1};
  const std::array<double, 9> got = procrustes_rotation(rotation);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(got[i], rotation[i], 1e-10);
}

TEST(ProcrustesRotation, AlignsBetterThanAnyNearbyRotation) {
  // R maximises trace(Rᵀ M). Compare with small turns about each axis.
  const std::array<double, 9> m = {1, 2, -.5, .3, 1.5, .2, -1, .4, .9};
  const std::array<double, 9> best = procrustes_rotation(m);
  const auto score = [&](const std::array<double, 9>& r) {
    double sum = 0.0;
    for (std::size_t i = 0; i < 9; ++i) sum += r[i] * m[i];
    return sum;
  };
  for (const double angle : {-.3, -.01, .01, .3}) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      std::array<double, 9> turned = best;
      const std::size_t p = (axis + 1) % 3;
      const std::size_t q = (axis + 2) % 3;
      for (std::size_t column = 0; column < 3; ++column) {
        turned[p * 3 + column] = std::cos(angle) * best[p * 3 + column] - std::sin(angle) * best[q * 3 + column];
        turned[q * 3 + column] = std::sin(angle) * best[p * 3 + column] + std::cos(angle) * best[q * 3 + column];
      }
      EXPECT_LT(score(turned), score(best));
    }
  }
}

TEST(ProcrustesRotation, WithoutAnyOverlapIsARotation) {
  const std::array<double, 9> got = procrustes_rotation({});
  double squares = 0.0;
  for (const double value : got) squares += value * value;
  EXPECT_NEAR(squares, 3.0, 1e-12);
}

TEST(ProjectDirections, DepthIsTheShareOfTheNormThatIsKept) {
  ProjectionBasis basis{4, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, 1.0};
  const std::vector<Point3> points = project_directions(std::vector<float>{0, 5, 0, 0, 3, 0, 0, 4, 0, 0, 0, 0}, basis);
  EXPECT_EQ(points[0], (Point3{0, 1, 0}));
  EXPECT_NEAR(points[1][0], 0.6, 1e-12);
  EXPECT_EQ(points[2], (Point3{0, 0, 0}));
}

}  // namespace
}  // namespace moescope::analysis
