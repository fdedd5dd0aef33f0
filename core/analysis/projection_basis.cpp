#include "core/analysis/projection_basis.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "core/analysis/small_matrix.h"
#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr std::size_t kAxes = 3;
constexpr double kNoDirection = 1e-6;  // relative length below which what is left of a vector is rounding

ProjectionBasis coordinate_basis(std::size_t dim) {
  ProjectionBasis basis;
  basis.dim = static_cast<int>(dim);
  basis.axes_3D.assign(kAxes * dim, 0.0);
  for (std::size_t axis = 0; axis < std::min(kAxes, dim); ++axis) basis.axes_3D[axis * dim + axis] = 1.0;
  basis.kept_variance = 1.0;
  return basis;
}

/// Takes the first `count` rows of `axes` out of `vector` (twice, against rounding) and scales it to length 1.
/// False if nothing is left.
bool orthonormalize(std::span<double> vector, const Matrix& axes, std::size_t count) {
  const double before = norm(vector);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t axis = 0; axis < count; ++axis) {
      const double overlap = dot(vector, axes.row(axis));
      for (std::size_t d = 0; d < vector.size(); ++d) vector[d] -= overlap * axes(axis, d);
    }
  }
  const double length = norm(vector);
  if (!(length > kNoDirection * before)) return false;
  for (double& value : vector) value /= length;
  return true;
}

/// Fills rows from `count` on with coordinate axes made orthogonal to those before.
void complete(Matrix& axes, std::size_t count) {
  for (std::size_t d = 0; d < axes.columns && count < axes.rows; ++d) {
    std::vector<double> unit(axes.columns, 0.0);
    unit[d] = 1.0;
    if (!orthonormalize(unit, axes, count)) continue;
    std::copy(unit.begin(), unit.end(), axes.row(count).begin());
    ++count;
  }
}

void fix_sign(std::span<double> axis) {
  const auto largest =
      std::max_element(axis.begin(), axis.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest >= 0.0) return;
  for (double& value : axis) value = -value;
}

/// Σ σ² over all directions and the principal axes of the rows, as many as there are up to three.
struct Principal {
  Matrix axes;
  std::size_t count = 0;
  double kept = 0.0;
  double total = 0.0;
};

Principal principal_axes(const Matrix& rows) {
  // The smaller Gram matrix. Its eigenvector u gives the axis rowsᵀ·u; for the other one u is the axis itself.
  const bool few_rows = rows.rows < rows.columns;
  const Eigen eigen = symmetric_eigen(few_rows ? row_gram(rows) : column_gram(rows));
  Principal result;
  result.axes = Matrix(kAxes, rows.columns);
  result.total = std::accumulate(eigen.values.begin(), eigen.values.end(), 0.0);
  for (std::size_t i = 0; i < std::min(kAxes, eigen.values.size()); ++i) {
    if (!(eigen.values[i] > 1e-12 * result.total)) break;
    std::span<double> axis = result.axes.row(i);
    for (std::size_t d = 0; d < rows.columns; ++d) {
      if (!few_rows) axis[d] = eigen.vectors(i, d);
      for (std::size_t r = 0; few_rows && r < rows.rows; ++r) axis[d] += eigen.vectors(i, r) * rows(r, d);
    }
    if (!orthonormalize(axis, result.axes, i)) {
      std::fill(axis.begin(), axis.end(), 0.0);
      break;
    }
    fix_sign(axis);
    result.kept += eigen.values[i];
    ++result.count;
  }
  return result;
}

Matrix axes_of(const ProjectionBasis& basis) {
  Matrix axes(kAxes, static_cast<std::size_t>(basis.dim));
  axes.values = basis.axes_3D;
  return axes;
}

}  // namespace

ProjectionBasis router_basis(std::span<const float> rows_ED, int dim) {
  const Matrix rows = to_matrix(rows_ED, dim);
  if (rows.columns <= kAxes) return coordinate_basis(rows.columns);
  Principal principal = principal_axes(rows);
  complete(principal.axes, principal.count);
  const double kept = principal.total > 0.0 ? std::min(1.0, principal.kept / principal.total)
                                            : std::numeric_limits<double>::quiet_NaN();
  return {dim, std::move(principal.axes.values), kept};
}

std::array<double, 9> procrustes_rotation(const std::array<double, 9>& m) {
  // M = U·Σ·Vᵀ and R = U·Vᵀ. The rows of `v` are the right singular vectors; u_i = M·v_i / σ_i.
  Matrix a(3, 3);
  std::copy(m.begin(), m.end(), a.values.begin());
  const Matrix v = symmetric_eigen(column_gram(a)).vectors;
  Matrix u(3, 3);
  std::size_t count = 0;
  for (; count < 3; ++count) {
    std::span<double> axis = u.row(count);
    for (std::size_t d = 0; d < 3; ++d) axis[d] = dot(a.row(d), v.row(count));
    const bool has_say = norm(axis) > kNoDirection * norm(a.values);
    if (has_say && orthonormalize(axis, u, count)) continue;
    std::fill(axis.begin(), axis.end(), 0.0);
    break;
  }
  const bool singular = count < 3;
  complete(u, count);
  Matrix r = product(transposed(u), v);  // Σ u_i v_iᵀ
  const double determinant = r(0, 0) * (r(1, 1) * r(2, 2) - r(1, 2) * r(2, 1)) -
                             r(0, 1) * (r(1, 0) * r(2, 2) - r(1, 2) * r(2, 0)) +
                             r(0, 2) * (r(1, 0) * r(2, 1) - r(1, 1) * r(2, 0));
  if (singular && determinant < 0.0) {
    for (double& value : u.row(2)) value = -value;
    r = product(transposed(u), v);
  }
  std::array<double, 9> result{};
  std::copy(r.values.begin(), r.values.end(), result.begin());
  return result;
}

ProjectionBasis aligned_to(const ProjectionBasis& fresh, const ProjectionBasis& old) {
  MOESCOPE_ASSERT(fresh.dim == old.dim, "both bases look at the same router space");
  const Matrix axes = axes_of(fresh);
  const Matrix overlap = product(axes_of(old), transposed(axes));
  std::array<double, 9> m{};
  std::copy(overlap.values.begin(), overlap.values.end(), m.begin());
  const std::array<double, 9> rotation = procrustes_rotation(m);
  Matrix r(kAxes, kAxes);
  std::copy(rotation.begin(), rotation.end(), r.values.begin());
  return {fresh.dim, product(r, axes).values, fresh.kept_variance};
}

std::vector<Point3> project_directions(std::span<const float> rows_TD, const ProjectionBasis& basis) {
  const Matrix rows = to_matrix(rows_TD, basis.dim);
  const Matrix axes = axes_of(basis);
  std::vector<Point3> points(rows.rows, Point3{});
  for (std::size_t t = 0; t < rows.rows; ++t) {
    const double length = norm(rows.row(t));
    if (!(length > 0.0)) continue;
    for (std::size_t axis = 0; axis < kAxes; ++axis) points[t][axis] = dot(rows.row(t), axes.row(axis)) / length;
  }
  return points;
}

}  // namespace moescope::analysis
