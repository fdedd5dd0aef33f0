#pragma once
// The router's own space as a ball: tokens as points, router rows as arrows. With three dimensions every direction is
// exact. With more, vectors are projected on a fixed basis of the router rows, and a point's depth inside the ball is
// the share of its norm that the projection keeps; nothing is stretched to the surface unless the user asks (snap).
// Threads: pure functions over plain values.

#include <array>
#include <vector>

#include "views/view.h"

namespace moescope::views {

/// Three directions of router space (rows of `axes`, each `dim` long).
struct SphereBasis {
  int layer = -1;
  int dim = 0;
  std::vector<double> axes;  ///< 3 × dim, row-major, orthonormal
  bool exact() const { return dim <= 3; }
};

/// The basis for `space`: the identity in three dimensions, else the main directions of the router rows, turned as
/// close as possible to `previous` so that the picture neither flips nor spins.
SphereBasis sphere_basis(const telemetry::RouterSpace& space, const SphereBasis* previous);

struct SphereCamera {
  float yaw = 0.6F, pitch = 0.35F;  ///< radians
  float zoom = 1;
  bool snap = false;  ///< draw every token on the surface
};

/// What the side panel prints; all in full dimensions, not in the projection.
struct SphereFigures {
  double mean_resultant_length = 0;  ///< 1: all directions alike (collapsed)
  double effective_rank = 0;
  double closest_angle_degrees = 0;  ///< between two router rows
  int closest_a = -1, closest_b = -1;
  double own_cosine = 0, runner_up_cosine = 0;  ///< mean over tokens: to their expert's row, to the next best
  double norm_kept = 1;                         ///< mean share of the tokens' norm the basis keeps
};
SphereFigures sphere_figures(const telemetry::RouterSpace& space, const SphereBasis& basis);

/// Points in front are drawn last; points behind the ball are paler.
Scene sphere_scene(const ViewContext& context, Size size, const telemetry::RouterSpace& space, const SphereBasis& basis,
                   const SphereCamera& camera);

}  // namespace moescope::views
