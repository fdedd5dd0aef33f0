#pragma once
// How the class means lie around their centre: near the end of training they tend towards a simplex (equal angles,
// equal lengths, aligned with the classifier's rows). The classes are the experts that tokens are assigned to.
// T tokens, E experts (K of them counted), D hidden width; μ is the mean of the class means.
// Source: neural collapse (Papyan, Han & Donoho 2020).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

struct ClassGeometry {
  double mean_cosine = 0.0;         // of μ_c − μ over pairs of classes; NaN without a pair
  double sd_cosine = 0.0;           // population, over the same pairs
  double simplex_cosine = 0.0;      // −1/(K−1): what an equiangular tight frame has; NaN for fewer than two classes
  double length_variation = 0.0;    // sd / mean of ‖μ_c − μ‖, population: 0 if all are equally long
  std::vector<double> alignment_E;  // cos(μ_c − μ, router row c); NaN: class not counted, or no direction
  double mean_alignment = 0.0;      // over the values that exist; NaN if none does
  int num_classes = 0;              // K
  int dropped_classes = 0;          // with tokens, but fewer than min_class_tokens
  std::int64_t num_tokens = 0;
  std::int64_t skipped_tokens = 0;  // without an expert, or of a dropped class
};

/// A class mean that coincides with μ has no direction: it leaves the cosines, and counts with length 0. Fewer than two
/// classes, or all means coincide: everything but the counts is NaN. An empty `router_ED` (a router without one row
/// per expert): no alignment.
/// Requires: expert_T.size() = T, experts in [−1, num_experts), router_ED of num_experts · dim values or empty,
/// min_class_tokens ≥ 1, dim ≥ 1, finite values.
ClassGeometry class_geometry(std::span<const float> hidden_TD, int dim, std::span<const std::int16_t> expert_T,
                             int num_experts, std::span<const float> router_ED, int min_class_tokens = 2);

}  // namespace moescope::analysis
