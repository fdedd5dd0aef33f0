#pragma once
// THOR's loss (Zuo et al., ICLR 2022, equations 1 to 3): two passes over the batch with different experts, both
// cross-entropies added, and α times the symmetric divergence between their predictions. Gradients flow into both
// passes. Threads: trainer thread only.

#include <memory>

#include "core/moe/objective.h"

namespace moescope::moe {

/// mean over rows with a target of ½ [KL(p‖q) + KL(q‖p)], from log-softmaxes, where it stays finite although
/// probabilities underflow. Zero when no row has a target.
at::Tensor symmetric_divergence(const at::Tensor& first_TV, const at::Tensor& second_TV, const at::Tensor& target_T);

/// "task" is the sum of both cross-entropies (not their mean), "consistency" the divergence. `consistency_weight` is a
/// live field. Telemetry sees the layers of the first pass; auxiliary losses of both count.
std::unique_ptr<Objective> thor_objective(double consistency_weight, double label_smoothing);

}  // namespace moescope::moe
