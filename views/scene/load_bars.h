#pragma once
// The right half of the load picture: one bar per expert with what capacity drops of it, ticks where other runs stand,
// the fair share and the capacity line. Threads: one owner.

#include <cstddef>
#include <vector>

#include "views/scene/layer_load.h"
#include "views/scene/load_layout.h"
#include "views/view.h"

namespace moescope::views {

/// What a ghost's experts get at the moment shown.
struct GhostLoad {
  std::size_t ghost = 0;  ///< index into ViewContext::ghosts
  LayerLoad load;
};

/// Of those ghosts whose experts are the shown run's own.
std::vector<GhostLoad> ghost_loads(const ViewContext& context, int layer);

class LoadBars {
 public:
  /// What is given outlives it. `capacity`: as a share of the layer's pairs, 0: no limit.
  LoadBars(const ViewContext& context, const LoadLayout& layout, int layer, const LayerLoad& load,
           const std::vector<GhostLoad>& ghosts, double capacity);

  void add_row(Scene& scene, int expert) const;
  void add_limits(Scene& scene) const;

 private:
  float x(double share) const;
  void add_bar(Scene& scene, int expert) const;
  void add_ticks(Scene& scene, int expert) const;

  const ViewContext& context_;
  const Palette& colors_;
  const LoadLayout& layout_;
  int layer_;
  const LayerLoad& load_;
  const std::vector<GhostLoad>& ghosts_;
  double capacity_;
  double scale_ = 1;  ///< the share at the right end
  bool capacity_drawn_ = false;
};

}  // namespace moescope::views
