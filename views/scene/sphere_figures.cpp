#include <algorithm>
#include <cmath>

#include "core/analysis/effective_rank.h"
#include "core/analysis/projection_basis.h"
#include "core/analysis/sphere_geometry.h"
#include "views/scene/sphere_scene.h"

namespace moescope::views {
namespace {

analysis::ProjectionBasis as_projection(const SphereBasis& basis) { return {basis.dim, basis.axes, 0}; }

// Which two rows are closest, in degrees.
void closest_rows(const telemetry::RouterSpace& space, SphereFigures& figures) {
  const auto dim = static_cast<std::size_t>(space.dim);
  const std::size_t experts = space.rows_ER.size() / dim;
  double best = -2;
  for (std::size_t a = 0; a < experts; ++a)
    for (std::size_t b = a + 1; b < experts; ++b) {
      const double c = analysis::cosine({&space.rows_ER[a * dim], dim}, {&space.rows_ER[b * dim], dim});
      if (!(c > best)) continue;
      best = c;
      figures.closest_a = static_cast<int>(a);
      figures.closest_b = static_cast<int>(b);
    }
  if (figures.closest_a >= 0)
    figures.closest_angle_degrees = std::acos(std::min(1.0, best)) * 180 / 3.14159265358979323846;
}

// Mean cosine of tokens to their own expert's row and to the best of the others.
void token_cosines(const telemetry::RouterSpace& space, SphereFigures& figures) {
  const std::size_t experts = space.rows_ER.size() / static_cast<std::size_t>(space.dim);
  const std::vector<double> cosines = analysis::cosine_matrix(space.vectors_SR, space.rows_ER, space.dim);
  double own = 0, other = 0;
  int count = 0;
  for (std::size_t s = 0; s < space.expert_S.size(); ++s) {
    const int chosen = space.expert_S[s];
    if (chosen < 0 || experts < 2) continue;
    double best = -1;
    for (std::size_t e = 0; e < experts; ++e)
      if (static_cast<int>(e) != chosen) best = std::max(best, cosines[s * experts + e]);
    own += cosines[s * experts + static_cast<std::size_t>(chosen)];
    other += best;
    ++count;
  }
  if (count == 0) return;
  figures.own_cosine = own / count;
  figures.runner_up_cosine = other / count;
}

}  // namespace

SphereBasis sphere_basis(const telemetry::RouterSpace& space, const SphereBasis* previous) {
  analysis::ProjectionBasis basis = analysis::router_basis(space.rows_ER, space.dim);
  if (previous && previous->layer == space.layer && previous->dim == space.dim && space.dim > 3)
    basis = analysis::aligned_to(basis, as_projection(*previous));
  return {space.layer, space.dim, std::move(basis.axes_3D)};
}

SphereFigures sphere_figures(const telemetry::RouterSpace& space, const SphereBasis& basis) {
  SphereFigures figures;
  if (space.dim <= 0 || space.vectors_SR.empty()) return figures;
  figures.mean_resultant_length = analysis::mean_resultant_length(space.vectors_SR, space.dim);
  figures.effective_rank =
      analysis::spectrum_ranks(analysis::singular_values(space.vectors_SR, space.dim, true)).effective_rank;
  closest_rows(space, figures);
  token_cosines(space, figures);
  double kept = 0;
  const std::vector<analysis::Point3> projected = analysis::project_directions(space.vectors_SR, as_projection(basis));
  for (const analysis::Point3& p : projected) kept += std::sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
  figures.norm_kept = kept / static_cast<double>(projected.size());
  return figures;
}

}  // namespace moescope::views
