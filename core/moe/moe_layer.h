#pragma once
// One Mixture-of-Experts layer: router, dispatch, experts, combine.
// Threads: trainer thread only.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/moe/experts.h"
#include "core/moe/router.h"

namespace moescope::moe {

/// What one forward leaves behind for losses, telemetry and views.
struct LayerRecord {
  Routing routing;
  at::Tensor kept_N;     ///< bool: the assignment found a slot (sparse routing only)
  at::Tensor load_E;     ///< int64, assignments before capacity (dense routing: mass, fp32)
  at::Tensor dropped_E;  ///< int64
  Capacity capacity;
  at::Tensor token_id_T;  ///< int64, of the tokens that were routed
};

struct MoeOutput {
  /// What the layer adds to the residual stream; of a token all of whose choices were dropped nothing but what a shared
  /// expert adds.
  at::Tensor delta_TD;
  LayerRecord record;
};

class MoeLayer {
 public:
  MoeLayer(std::unique_ptr<Router> router, Experts experts);

  /// hidden_TD is what router and experts see. Zero tokens are fine.
  MoeOutput forward(const RouterInput& input);

  Router& router() { return *router_; }
  const Router& router() const { return *router_; }
  Experts& experts() { return experts_; }

 private:
  std::unique_ptr<Router> router_;
  Experts experts_;
};

}  // namespace moescope::moe
