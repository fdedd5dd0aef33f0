#include "core/analysis/representation_collapse.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "core/analysis/class_means.h"
#include "core/analysis/small_matrix.h"
#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kPseudoInverseCutoff = 1e-10;  // of the largest eigenvalue: Σ_B has rank K − 1 at most

/// Rows √w_c (μ_c − μ), so that Σ_B = AᵀA.
Matrix between_factor(const ClassMeans& classes, CollapseVariant variant) {
  const bool weighted = variant == CollapseVariant::kWeighted;
  const std::vector<double> mean_D = grand_mean(classes, weighted);
  Matrix factor = classes.mean_KD;
  for (std::size_t k = 0; k < factor.rows; ++k) {
    const double weight = weighted ? static_cast<double>(classes.count_K[k]) / static_cast<double>(classes.num_tokens)
                                   : 1.0 / static_cast<double>(factor.rows);
    for (std::size_t d = 0; d < factor.columns; ++d) factor(k, d) = std::sqrt(weight) * (factor(k, d) - mean_D[d]);
  }
  return factor;
}

struct WithinScatter {
  double trace = 0.0;    // Tr Σ_W
  double on_span = 0.0;  // Tr(Σ_W Σ_B†) = Σ_i v_iᵀ Σ_W v_i / λ_i
};

/// Token by token, so that no D×D matrix is formed.
WithinScatter within_scatter(const Matrix& hidden_TD, std::span<const std::int16_t> expert_T, const ClassMeans& classes,
                             const Eigen& between) {
  WithinScatter scatter;
  std::vector<double> residual_D(hidden_TD.columns);
  for (std::size_t t = 0; t < hidden_TD.rows; ++t) {
    const int row = expert_T[t] < 0 ? -1 : classes.row_C[static_cast<std::size_t>(expert_T[t])];
    if (row < 0) continue;
    const std::span<const double> mean_D = classes.mean_KD.row(static_cast<std::size_t>(row));
    for (std::size_t d = 0; d < residual_D.size(); ++d) residual_D[d] = hidden_TD(t, d) - mean_D[d];
    scatter.trace += dot(residual_D, residual_D);
    for (std::size_t i = 0; i < between.values.size(); ++i) {
      const double component = dot(residual_D, between.vectors.row(i));
      scatter.on_span += component * component / between.values[i];
    }
  }
  scatter.trace /= static_cast<double>(classes.num_tokens);
  scatter.on_span /= static_cast<double>(classes.num_tokens);
  return scatter;
}

}  // namespace

std::string_view collapse_variant_name(CollapseVariant variant) {
  return variant == CollapseVariant::kBalanced ? "balanced" : "weighted";
}

RepresentationCollapse representation_collapse(std::span<const float> hidden_TD, int dim,
                                               std::span<const std::int16_t> expert_T, int num_experts,
                                               const CollapseSettings& settings) {
  const ClassMeans classes = class_means(hidden_TD, dim, expert_T, num_experts, settings.min_class_tokens);
  RepresentationCollapse result;
  result.variant = settings.variant;
  result.collapse = result.trace_ratio = kNan;
  result.num_classes = static_cast<int>(classes.class_K.size());
  result.dropped_classes = classes.dropped_classes;
  result.num_tokens = classes.num_tokens;
  result.skipped_tokens = classes.skipped_tokens;
  result.enough_tokens = classes.num_tokens >= 10 * static_cast<std::int64_t>(dim);
  if (classes.class_K.size() < 2) return result;

  const Matrix factor = between_factor(classes, settings.variant);
  const double between_trace = dot(factor.values, factor.values);
  if (std::sqrt(between_trace) <= kNegligibleLength * classes.rms_length) return result;
  const Eigen between = row_space(factor, kPseudoInverseCutoff);
  const WithinScatter within = within_scatter(to_matrix(hidden_TD, dim), expert_T, classes, between);
  result.between_rank = static_cast<int>(between.values.size());
  result.collapse = within.on_span;
  result.trace_ratio = within.trace / between_trace;
  return result;
}

GradientSpan gradient_share_in_span(std::span<const float> gradient_TD, std::span<const float> router_ED, int dim) {
  const Matrix gradient = to_matrix(gradient_TD, dim);
  const Eigen span = row_space(to_matrix(router_ED, dim), kPseudoInverseCutoff);
  GradientSpan result;
  result.rank = static_cast<int>(span.values.size());
  double total = 0.0;
  double inside = 0.0;
  for (std::size_t t = 0; t < gradient.rows; ++t) {
    const double energy = dot(gradient.row(t), gradient.row(t));
    if (energy > 0.0) ++result.num_tokens;
    total += energy;
    for (std::size_t i = 0; i < span.values.size(); ++i) {
      const double component = dot(gradient.row(t), span.vectors.row(i));
      inside += component * component;
    }
  }
  result.share = total > 0.0 ? std::min(inside / total, 1.0) : kNan;
  return result;
}

}  // namespace moescope::analysis
