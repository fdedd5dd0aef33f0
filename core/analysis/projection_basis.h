#pragma once
// Three axes to look at router space through, from the router rows alone, and their alignment from one fit to the next
// so that the picture neither flips nor spins.
// Principal axes without centring: the origin is the centre of the sphere, and the planes
// where two experts tie pass through it. Alignment: orthogonal Procrustes (Schönemann 1966).
// Threads: pure functions.

#include <array>
#include <span>
#include <vector>

namespace moescope::analysis {

using Point3 = std::array<double, 3>;

/// Three orthonormal rows [3][dim] (below three dimensions the rows that are too many are zero).
struct ProjectionBasis {
  int dim = 0;
  std::vector<double> axes_3D;
  double kept_variance = 0.0;  // share of the rows' squared length inside the axes, 0 to 1; print it with the picture
};

/// Basis of the directions that hold most of the rows' squared length. In up to three dimensions nothing is projected:
/// the axes are the coordinate axes and kept_variance is 1. Rows of rank below three (or none at all) are completed by
/// coordinate axes; without any length kept_variance is NaN. The sign of an axis is fixed by its largest component.
/// Requires: rows_ED.size() is a multiple of dim ≥ 1, finite values.
ProjectionBasis router_basis(std::span<const float> rows_ED, int dim);

/// `fresh` turned inside its own three-dimensional space (reflections allowed, since a fresh axis has no meaningful
/// sign) so that its axes come as close as possible to those of `old`. The space shown, and kept_variance, stay those
/// of `fresh`. Requires: equal dims.
ProjectionBasis aligned_to(const ProjectionBasis& fresh, const ProjectionBasis& old);

/// Unit vectors of the rows seen through the basis, so the distance from the centre is the share of a row's norm that
/// the projection keeps: 1 on the surface. A zero row stays at the centre. Requires: dim as in the basis.
std::vector<Point3> project_directions(std::span<const float> rows_TD, const ProjectionBasis& basis);

/// The 3×3 orthogonal matrix R (row-major) that minimises ‖R·B − A‖ for M = A·Bᵀ given. Where M has no say (it is
/// singular) R completes to a rotation. Exposed for its test.
std::array<double, 9> procrustes_rotation(const std::array<double, 9>& m);

}  // namespace moescope::analysis
