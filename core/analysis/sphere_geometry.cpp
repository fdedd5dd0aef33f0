#include "core/analysis/sphere_geometry.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/analysis/small_matrix.h"
#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Rows scaled to length 1; a zero row becomes NaN, which marks it in everything computed from it.
Matrix unit_rows(std::span<const float> rows_RD, int dim) {
  Matrix rows = to_matrix(rows_RD, dim);
  for (std::size_t r = 0; r < rows.rows; ++r) {
    const double length = norm(rows.row(r));
    for (double& value : rows.row(r)) value = length > 0.0 ? value / length : kNan;
  }
  return rows;
}

double clamped_dot(std::span<const double> a, std::span<const double> b) {
  const double value = dot(a, b);
  return std::isnan(value) ? value : std::clamp(value, -1.0, 1.0);
}

/// Kahan's formula: exact to rounding also for nearly parallel vectors, where acos of the cosine loses half the digits.
double angle_between_units(std::span<const double> a, std::span<const double> b) {
  double difference = 0.0;
  double sum = 0.0;
  for (std::size_t d = 0; d < a.size(); ++d) {
    difference += (a[d] - b[d]) * (a[d] - b[d]);
    sum += (a[d] + b[d]) * (a[d] + b[d]);
  }
  return 2.0 * std::atan2(std::sqrt(difference), std::sqrt(sum));
}

}  // namespace

double cosine(std::span<const float> a_D, std::span<const float> b_D) {
  MOESCOPE_ASSERT(a_D.size() == b_D.size(), "both vectors live in the same space");
  if (a_D.empty()) return kNan;
  const int dim = static_cast<int>(a_D.size());
  return clamped_dot(unit_rows(a_D, dim).row(0), unit_rows(b_D, dim).row(0));
}

std::vector<double> cosine_matrix(std::span<const float> tokens_TD, std::span<const float> router_ED, int dim) {
  const Matrix tokens = unit_rows(tokens_TD, dim);
  const Matrix router = unit_rows(router_ED, dim);
  std::vector<double> cosine_TE;
  cosine_TE.reserve(tokens.rows * router.rows);
  for (std::size_t t = 0; t < tokens.rows; ++t) {
    for (std::size_t e = 0; e < router.rows; ++e) cosine_TE.push_back(clamped_dot(tokens.row(t), router.row(e)));
  }
  return cosine_TE;
}

double mean_resultant_length(std::span<const float> rows_TD, int dim) {
  const Matrix rows = unit_rows(rows_TD, dim);
  std::vector<double> sum(rows.columns, 0.0);
  std::size_t count = 0;
  for (std::size_t t = 0; t < rows.rows; ++t) {
    if (std::isnan(rows(t, 0))) continue;
    for (std::size_t d = 0; d < rows.columns; ++d) sum[d] += rows(t, d);
    ++count;
  }
  return count == 0 ? kNan : norm(sum) / static_cast<double>(count);
}

double smallest_angle_rad(std::span<const float> rows_ED, int dim) {
  const Matrix rows = unit_rows(rows_ED, dim);
  double smallest = kNan;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double angle = angle_between_units(rows.row(i), rows.row(j));
      if (!std::isnan(angle) && !(angle >= smallest)) smallest = angle;  // also replaces the first NaN
    }
  }
  return smallest;
}

std::vector<Cap> expert_caps(std::span<const float> tokens_TD, std::span<const float> router_ED,
                             std::span<const std::int16_t> expert_T, int dim) {
  const Matrix tokens = unit_rows(tokens_TD, dim);
  const Matrix router = unit_rows(router_ED, dim);
  MOESCOPE_ASSERT(expert_T.size() == tokens.rows, "one expert per token");
  std::vector<std::vector<double>> angles_E(router.rows);
  for (std::size_t t = 0; t < tokens.rows; ++t) {
    if (expert_T[t] < 0) continue;
    const auto expert = static_cast<std::size_t>(expert_T[t]);
    MOESCOPE_ASSERT(expert < router.rows, "a choice names an expert of its layer");
    const double angle = angle_between_units(tokens.row(t), router.row(expert));
    if (!std::isnan(angle)) angles_E[expert].push_back(angle);
  }
  std::vector<Cap> caps;
  for (const std::vector<double>& angles : angles_E) {
    const auto count = static_cast<double>(angles.size());
    double sum = 0.0;
    for (const double angle : angles) sum += angle;
    const double mean = angles.empty() ? kNan : sum / count;
    double squares = 0.0;
    for (const double angle : angles) squares += (angle - mean) * (angle - mean);
    caps.push_back({mean, angles.empty() ? kNan : std::sqrt(squares / count), static_cast<int>(angles.size())});
  }
  return caps;
}

}  // namespace moescope::analysis
