#include "core/analysis/expert_similarity.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "core/analysis/assignment_matching.h"
#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// One matrix per expert. Requires: the list divides into experts and rows.
std::vector<Matrix> per_expert(std::span<const float> values, int num_experts, std::size_t columns) {
  MOESCOPE_ASSERT(num_experts >= 1 && columns >= 1, "there is an expert and it has a width");
  const auto experts = static_cast<std::size_t>(num_experts);
  MOESCOPE_ASSERT(values.size() % (experts * columns) == 0, "every expert has the same number of rows");
  const std::size_t size = values.size() / experts;
  std::vector<Matrix> matrices;
  for (std::size_t e = 0; e < experts; ++e)
    matrices.push_back(to_matrix(values.subspan(e * size, size), static_cast<int>(columns)));
  return matrices;
}

template <typename Pair>
Similarity all_pairs(std::size_t num_experts, std::size_t num_rows, Pair value_of) {
  Similarity result{Matrix(num_experts, num_experts), kNan, static_cast<std::int64_t>(num_rows)};
  double sum = 0.0;
  int count = 0;
  for (std::size_t i = 0; i < num_experts; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double value = value_of(i, j);
      result.value_EE(i, j) = result.value_EE(j, i) = value;
      if (i == j || std::isnan(value)) continue;
      sum += value;
      ++count;
    }
  }
  if (count > 0) result.off_diagonal_mean = sum / count;
  return result;
}

void subtract_mean_over_experts(std::vector<Matrix>& output_E) {
  const auto num_experts = static_cast<double>(output_E.size());
  for (std::size_t i = 0; i < output_E.front().values.size(); ++i) {
    double mean = 0.0;
    for (const Matrix& output : output_E) mean += output.values[i];
    mean /= num_experts;
    for (Matrix& output : output_E) output.values[i] -= mean;
  }
}

/// Rows in unit length; a row of zeros stays zero.
void normalize_rows(Matrix& rows) {
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const double length = norm(rows.row(r));
    for (double& value : rows.row(r)) value = length > 0.0 ? value / length : 0.0;
  }
}

double mean_row_cosine(const Matrix& a, const Matrix& b) {
  double sum = 0.0;
  int count = 0;
  for (std::size_t r = 0; r < a.rows; ++r) {
    if (norm(a.row(r)) == 0.0 || norm(b.row(r)) == 0.0) continue;
    sum += dot(a.row(r), b.row(r));
    ++count;
  }
  return count == 0 ? kNan : std::clamp(sum / count, -1.0, 1.0);
}

double energy(const Matrix& a) { return dot(a.values, a.values); }

/// Columns centred; an empty matrix if nothing varies. No tolerance is needed: a sum of equal floats, and so their
/// mean, is exact in fp64.
Matrix centered_columns(Matrix a) {
  for (std::size_t d = 0; d < a.columns; ++d) {
    double mean = 0.0;
    for (std::size_t r = 0; r < a.rows; ++r) mean += a(r, d);
    mean /= static_cast<double>(a.rows);
    for (std::size_t r = 0; r < a.rows; ++r) a(r, d) -= mean;
  }
  return energy(a) > 0.0 ? a : Matrix();
}

/// ‖AᵀB‖_F² of centred columns.
double shared_energy(const Matrix& a, const Matrix& b) { return energy(product(transposed(a), b)); }

/// `x_self` and `y_self` are the shared energies of each with itself.
double cka_of_centered(const Matrix& x, double x_self, const Matrix& y, double y_self) {
  if (x.rows == 0 || y.rows == 0) return kNan;
  return std::clamp(shared_energy(x, y) / std::sqrt(x_self * y_self), 0.0, 1.0);
}

struct PairOfExperts {
  double flattened = 0.0;
  double neurons = 0.0;
};

PairOfExperts compare_matched(const Matrix& a_FW, const Matrix& b_FW) {
  Matrix cosine(a_FW.rows, b_FW.rows);
  for (std::size_t i = 0; i < a_FW.rows; ++i) {
    for (std::size_t j = 0; j < b_FW.rows; ++j) {
      const double lengths = norm(a_FW.row(i)) * norm(b_FW.row(j));
      cosine(i, j) = lengths > 0.0 ? std::min(std::abs(dot(a_FW.row(i), b_FW.row(j))) / lengths, 1.0) : 0.0;
    }
  }
  const Matching matching = max_weight_matching(cosine);
  double product_sum = 0.0;
  for (std::size_t i = 0; i < a_FW.rows; ++i)
    product_sum += dot(a_FW.row(i), b_FW.row(static_cast<std::size_t>(matching.column_of_row[i])));
  const double lengths = std::sqrt(energy(a_FW) * energy(b_FW));
  return {lengths > 0.0 ? std::clamp(product_sum / lengths, -1.0, 1.0) : kNan,
          matching.total_weight / static_cast<double>(a_FW.rows)};
}

}  // namespace

Similarity output_cosine(std::span<const float> output_ETD, int num_experts, int dim, OutputCentering centering) {
  std::vector<Matrix> output_E = per_expert(output_ETD, num_experts, static_cast<std::size_t>(dim));
  if (centering == OutputCentering::kMeanOverExperts) subtract_mean_over_experts(output_E);
  for (Matrix& output : output_E) normalize_rows(output);
  return all_pairs(output_E.size(), output_E.front().rows,
                   [&](std::size_t i, std::size_t j) { return mean_row_cosine(output_E[i], output_E[j]); });
}

double linear_cka(std::span<const float> x_TD, int x_dim, std::span<const float> y_TD, int y_dim) {
  const Matrix x = to_matrix(x_TD, x_dim);
  const Matrix y = to_matrix(y_TD, y_dim);
  MOESCOPE_ASSERT(x.rows == y.rows, "both sets of features describe the same tokens");
  const Matrix x_centered = centered_columns(x);
  const Matrix y_centered = centered_columns(y);
  return cka_of_centered(x_centered, shared_energy(x_centered, x_centered), y_centered,
                         shared_energy(y_centered, y_centered));
}

Similarity output_cka(std::span<const float> output_ETD, int num_experts, int dim) {
  std::vector<Matrix> output_E = per_expert(output_ETD, num_experts, static_cast<std::size_t>(dim));
  const std::size_t num_tokens = output_E.front().rows;
  std::vector<double> self_E;
  for (Matrix& output : output_E) {
    output = centered_columns(output);
    self_E.push_back(shared_energy(output, output));
  }
  return all_pairs(output_E.size(), num_tokens, [&](std::size_t i, std::size_t j) {
    return cka_of_centered(output_E[i], self_E[i], output_E[j], self_E[j]);
  });
}

MatchedWeights matched_weights(std::span<const float> neuron_EFW, int num_experts, int hidden) {
  MOESCOPE_ASSERT(num_experts >= 1 && hidden >= 1, "there is an expert and it has neurons");
  const std::size_t num_neurons = static_cast<std::size_t>(num_experts) * static_cast<std::size_t>(hidden);
  MOESCOPE_ASSERT(neuron_EFW.size() % num_neurons == 0, "every neuron has the same number of weights");
  const std::vector<Matrix> neuron_E = per_expert(neuron_EFW, num_experts, neuron_EFW.size() / num_neurons);
  MatchedWeights result;
  Matrix neurons(neuron_E.size(), neuron_E.size());
  const auto rows = static_cast<std::size_t>(hidden);
  result.flattened = all_pairs(neuron_E.size(), rows, [&](std::size_t i, std::size_t j) {
    const PairOfExperts pair = compare_matched(neuron_E[i], neuron_E[j]);
    neurons(i, j) = pair.neurons;
    return pair.flattened;
  });
  result.neurons = all_pairs(neuron_E.size(), rows, [&](std::size_t i, std::size_t j) { return neurons(i, j); });
  return result;
}

}  // namespace moescope::analysis
