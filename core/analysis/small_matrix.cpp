#include "core/analysis/small_matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr int kMaxSweeps = 60;  // Jacobi converges quadratically: 6 to 12 sweeps in practice

double off_diagonal_squares(const Matrix& a) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < i; ++j) sum += a(i, j) * a(i, j);
  }
  return sum;
}

/// Rotates rows and columns p and q of `a` so that a(p, q) becomes 0, and the rows of `vectors` with them.
void rotate(Matrix& a, Matrix& vectors, std::size_t p, std::size_t q) {
  if (a(p, q) == 0.0) return;
  const double theta = (a(q, q) - a(p, p)) / (2.0 * a(p, q));
  const double tangent = (theta >= 0.0 ? 1.0 : -1.0) / (std::abs(theta) + std::hypot(theta, 1.0));  // the smaller angle
  const double cosine = 1.0 / std::hypot(tangent, 1.0);
  const double sine = tangent * cosine;
  for (std::size_t i = 0; i < a.rows; ++i) {
    const double ip = a(i, p);
    const double iq = a(i, q);
    a(i, p) = cosine * ip - sine * iq;
    a(i, q) = sine * ip + cosine * iq;
  }
  for (std::size_t i = 0; i < a.rows; ++i) {
    const double pi = a(p, i);
    const double qi = a(q, i);
    a(p, i) = cosine * pi - sine * qi;
    a(q, i) = sine * pi + cosine * qi;
    const double vp = vectors(p, i);
    const double vq = vectors(q, i);
    vectors(p, i) = cosine * vp - sine * vq;
    vectors(q, i) = sine * vp + cosine * vq;
  }
}

}  // namespace

Matrix to_matrix(std::span<const float> rows_RD, int dim) {
  MOESCOPE_ASSERT(dim >= 1 && rows_RD.size() % static_cast<std::size_t>(dim) == 0, "the matrix is rows times dim");
  Matrix result(rows_RD.size() / static_cast<std::size_t>(dim), static_cast<std::size_t>(dim));
  std::copy(rows_RD.begin(), rows_RD.end(), result.values.begin());
  return result;
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }

Matrix row_gram(const Matrix& a) {
  Matrix gram(a.rows, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j <= i; ++j) gram(i, j) = gram(j, i) = dot(a.row(i), a.row(j));
  }
  return gram;
}

Matrix column_gram(const Matrix& a) {
  Matrix gram(a.columns, a.columns);
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t i = 0; i < a.columns; ++i) {
      for (std::size_t j = 0; j <= i; ++j) gram(i, j) += a(r, i) * a(r, j);
    }
  }
  for (std::size_t i = 0; i < a.columns; ++i) {
    for (std::size_t j = 0; j < i; ++j) gram(j, i) = gram(i, j);
  }
  return gram;
}

Matrix product(const Matrix& a, const Matrix& b) {
  MOESCOPE_ASSERT(a.columns == b.rows, "inner sizes of a product agree");
  Matrix result(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t k = 0; k < a.columns; ++k) {
      for (std::size_t j = 0; j < b.columns; ++j) result(i, j) += a(i, k) * b(k, j);
    }
  }
  return result;
}

Matrix transposed(const Matrix& a) {
  Matrix result(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) result(j, i) = a(i, j);
  }
  return result;
}

Eigen symmetric_eigen(Matrix a) {
  MOESCOPE_ASSERT(a.rows == a.columns, "eigenvalues belong to a square matrix");
  const std::size_t size = a.rows;
  Matrix vectors(size, size);
  for (std::size_t i = 0; i < size; ++i) vectors(i, i) = 1.0;
  const double negligible = 1e-32 * dot(a.values, a.values);  // of the squared Frobenius norm, which rotations keep
  for (int sweep = 0; sweep < kMaxSweeps && off_diagonal_squares(a) > negligible; ++sweep) {
    for (std::size_t p = 0; p < size; ++p) {
      for (std::size_t q = p + 1; q < size; ++q) rotate(a, vectors, p, q);
    }
  }
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a(i, i) > a(j, j); });
  Eigen result{std::vector<double>(size), Matrix(size, size)};
  for (std::size_t i = 0; i < size; ++i) {
    result.values[i] = a(order[i], order[i]);
    std::copy_n(vectors.row(order[i]).begin(), size, result.vectors.row(i).begin());
  }
  return result;
}

Eigen row_space(const Matrix& a, double relative_cutoff) {
  MOESCOPE_ASSERT(relative_cutoff >= 1e-12, "a cut-off below rounding would keep noise");
  const bool few_rows = a.rows < a.columns;
  Eigen gram = symmetric_eigen(few_rows ? row_gram(a) : column_gram(a));
  std::size_t rank = 0;
  while (rank < gram.values.size() && gram.values[rank] > 0.0 &&
         gram.values[rank] > relative_cutoff * gram.values.front())
    ++rank;
  gram.values.resize(rank);
  Matrix kept(rank, gram.vectors.columns);
  std::copy_n(gram.vectors.values.begin(), kept.values.size(), kept.values.begin());
  if (!few_rows) return {std::move(gram.values), std::move(kept)};
  Matrix vectors = product(kept, a);  // u·A = √λ·v for an eigenvector u of A·Aᵀ
  for (std::size_t i = 0; i < rank; ++i) {
    const double length = norm(vectors.row(i));
    for (double& value : vectors.row(i)) value /= length;
  }
  return {std::move(gram.values), std::move(vectors)};
}

}  // namespace moescope::analysis
