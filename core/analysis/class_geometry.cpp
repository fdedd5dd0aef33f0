#include "core/analysis/class_geometry.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/analysis/class_means.h"
#include "core/analysis/small_matrix.h"
#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Moments {
  double mean = kNan;
  double sd = kNan;  // population
};

Moments moments(std::span<const double> values) {
  if (values.empty()) return {};
  const auto count = static_cast<double>(values.size());
  double sum = 0.0;
  for (const double value : values) sum += value;
  const double mean = sum / count;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / count)};
}

/// μ_c − μ in unit length; a row without a direction becomes zero. `length_K` receives the lengths.
Matrix directions(const ClassMeans& classes, std::vector<double>& length_K) {
  const std::vector<double> mean_D = grand_mean(classes, /*weighted=*/false);
  Matrix direction_KD = classes.mean_KD;
  for (std::size_t k = 0; k < direction_KD.rows; ++k) {
    const std::span<double> row_D = direction_KD.row(k);
    for (std::size_t d = 0; d < row_D.size(); ++d) row_D[d] -= mean_D[d];
    const double length = norm(row_D);
    const bool has_direction = length > kNegligibleLength * classes.rms_length;
    length_K.push_back(has_direction ? length : 0.0);
    for (double& value : row_D) value = has_direction ? value / length : 0.0;
  }
  return direction_KD;
}

std::vector<double> pair_cosines(const Matrix& direction_KD, std::span<const double> length_K) {
  std::vector<double> cosines;
  for (std::size_t i = 0; i < direction_KD.rows; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (length_K[i] > 0.0 && length_K[j] > 0.0)
        cosines.push_back(std::clamp(dot(direction_KD.row(i), direction_KD.row(j)), -1.0, 1.0));
    }
  }
  return cosines;
}

void fill_alignment(ClassGeometry& geometry, const ClassMeans& classes, const Matrix& direction_KD,
                    std::span<const double> length_K, const Matrix& router_ED) {
  std::vector<double> found;
  for (std::size_t k = 0; k < direction_KD.rows; ++k) {
    const auto expert = static_cast<std::size_t>(classes.class_K[k]);
    const double length = norm(router_ED.row(expert));
    if (!(length > 0.0) || !(length_K[k] > 0.0)) continue;
    found.push_back(std::clamp(dot(direction_KD.row(k), router_ED.row(expert)) / length, -1.0, 1.0));
    geometry.alignment_E[expert] = found.back();
  }
  geometry.mean_alignment = moments(found).mean;
}

}  // namespace

ClassGeometry class_geometry(std::span<const float> hidden_TD, int dim, std::span<const std::int16_t> expert_T,
                             int num_experts, std::span<const float> router_ED, int min_class_tokens) {
  const ClassMeans classes = class_means(hidden_TD, dim, expert_T, num_experts, min_class_tokens);
  MOESCOPE_ASSERT(
      router_ED.empty() || router_ED.size() == static_cast<std::size_t>(num_experts) * static_cast<std::size_t>(dim),
      "one router row per expert, or none at all");
  ClassGeometry result;
  result.mean_cosine = result.sd_cosine = result.simplex_cosine = kNan;
  result.length_variation = result.mean_alignment = kNan;
  result.alignment_E.assign(static_cast<std::size_t>(num_experts), kNan);
  result.num_classes = static_cast<int>(classes.class_K.size());
  result.dropped_classes = classes.dropped_classes;
  result.num_tokens = classes.num_tokens;
  result.skipped_tokens = classes.skipped_tokens;
  if (result.num_classes < 2) return result;

  result.simplex_cosine = -1.0 / (result.num_classes - 1);
  std::vector<double> length_K;
  const Matrix direction_KD = directions(classes, length_K);
  const Moments cosine = moments(pair_cosines(direction_KD, length_K));
  const Moments length = moments(length_K);
  result.mean_cosine = cosine.mean;
  result.sd_cosine = cosine.sd;
  result.length_variation = length.mean > 0.0 ? length.sd / length.mean : kNan;
  if (!router_ED.empty()) fill_alignment(result, classes, direction_KD, length_K, to_matrix(router_ED, dim));
  return result;
}

}  // namespace moescope::analysis
