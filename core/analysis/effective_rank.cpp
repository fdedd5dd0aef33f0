#include "core/analysis/effective_rank.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "core/analysis/small_matrix.h"

namespace moescope::analysis {
namespace {

void subtract_column_means(Matrix& a) {
  for (std::size_t d = 0; d < a.columns; ++d) {
    double mean = 0.0;
    for (std::size_t r = 0; r < a.rows; ++r) mean += a(r, d);
    mean /= static_cast<double>(a.rows);
    for (std::size_t r = 0; r < a.rows; ++r) a(r, d) -= mean;
  }
}

}  // namespace

SpectrumRanks spectrum_ranks(std::span<const double> singular_values) {
  const double sum = std::accumulate(singular_values.begin(), singular_values.end(), 0.0);
  if (!(sum > 0.0)) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan};
  }
  double entropy = 0.0;
  double squares = 0.0;
  double fourth_powers = 0.0;
  for (const double sigma : singular_values) {
    const double share = sigma / sum;
    if (share > 0.0) entropy -= share * std::log(share);
    squares += share * share;  // of shares instead of σ: the ratios do not change and nothing overflows
    fourth_powers += share * share * share * share;
  }
  const double largest = *std::max_element(singular_values.begin(), singular_values.end()) / sum;
  return {std::exp(entropy), squares * squares / fourth_powers, squares / (largest * largest)};
}

std::vector<double> singular_values(std::span<const float> rows_RD, int dim, bool centered) {
  Matrix a = to_matrix(rows_RD, dim);
  if (a.rows == 0) return {};
  if (centered) subtract_column_means(a);
  std::vector<double> values = symmetric_eigen(a.rows < a.columns ? row_gram(a) : column_gram(a)).values;
  for (double& value : values) value = std::sqrt(std::max(value, 0.0));  // rounding may leave −1e-17 for 0
  return values;
}

}  // namespace moescope::analysis
