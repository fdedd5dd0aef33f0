#pragma once
// Symmetric eigenvalues for the small matrices of this room (up to about 128 wide), in fp64 by Jacobi rotations: slow
// beside a library, short, and accurate. Not a linear algebra library.
// Threads: pure functions.

#include <cstddef>
#include <span>
#include <vector>

namespace moescope::analysis {

/// Row-major, fp64.
struct Matrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(std::size_t num_rows, std::size_t num_columns)
      : rows(num_rows), columns(num_columns), values(num_rows * num_columns, 0.0) {}

  double& operator()(std::size_t row, std::size_t column) { return values[row * columns + column]; }
  double operator()(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
  std::span<double> row(std::size_t index) { return std::span(values).subspan(index * columns, columns); }
  std::span<const double> row(std::size_t index) const { return std::span(values).subspan(index * columns, columns); }
};

/// fp64 copy of [R][D] rows. Requires: values.size() is a multiple of dim ≥ 1.
Matrix to_matrix(std::span<const float> rows_RD, int dim);

double dot(std::span<const double> a, std::span<const double> b);
double norm(std::span<const double> a);

/// A·Aᵀ over rows (a row's dot products with all rows).
Matrix row_gram(const Matrix& a);
/// Aᵀ·A over columns.
Matrix column_gram(const Matrix& a);
/// A·B. Requires: a.columns = b.rows.
Matrix product(const Matrix& a, const Matrix& b);
Matrix transposed(const Matrix& a);

struct Eigen {
  std::vector<double> values;  // falling
  Matrix vectors;              // row i belongs to values[i]; orthonormal
};

/// Eigenvalues and vectors of a symmetric matrix. An empty matrix gives empty results. Requires: square, finite.
Eigen symmetric_eigen(Matrix a);

/// The eigenvalues of Aᵀ·A above `relative_cutoff` times the largest, falling, with their vectors: an orthonormal basis
/// of the space the rows span. Taken from the smaller Gram matrix, so a few long rows are cheap. No rows, or all zero:
/// empty. Requires: finite; relative_cutoff ≥ 1e-12, since below that rounding decides.
Eigen row_space(const Matrix& a, double relative_cutoff);

}  // namespace moescope::analysis
