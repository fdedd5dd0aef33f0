#pragma once
// How close each token is to another choice: small margins predict fluctuation.
// T tokens, E experts, D width of router space. (1), (2), … is the order of a row: higher first, then lower index.
// A score of −infinity is a masked expert; a row with a NaN, or without any score above −infinity, gives NaN.
// Empty input gives empty output.
// Threads: pure functions over the caller's arrays.

#include <span>
#include <vector>

namespace moescope::analysis {

/// p(1) − p(2), 0 to 1. One expert: p(1). Requires: probs_TE.size() is a multiple of num_experts ≥ 1.
std::vector<double> prob_margins(std::span<const float> probs_TE, int num_experts);

/// s(1) − s(2), in units of the score. Nothing to compare with (one expert, others masked): +infinity.
std::vector<double> logit_margins(std::span<const float> scores_TE, int num_experts);

/// s(k) − s(k+1): how far the last chosen expert is from being displaced. k = num_experts, or fewer than k + 1 experts
/// unmasked: +infinity. At k = 1 this is the logit margin. Requires: 1 ≤ top_k ≤ num_experts.
std::vector<double> selection_margins(std::span<const float> scores_TE, int num_experts, int top_k);

/// (s(1) − s(2)) / ‖E(1) − E(2)‖: the distance, in router space, to the plane where the two best experts tie. Only for
/// routers whose score is a product with one row per expert, without bias. Equal rows, or nothing to compare with:
/// +infinity. Requires: router_ED.size() = num_experts · dim.
std::vector<double> geometric_margins(std::span<const float> scores_TE, std::span<const float> router_ED,
                                      int num_experts, int dim);

/// Mean over the finite margins; NaN if there is none.
double mean_margin(std::span<const double> margin_T);

}  // namespace moescope::analysis
