#pragma once
// Directions of tokens and router rows, in the full dimension of router space (never in a projection).
// T tokens, E experts, D width of router space. A zero vector has no direction: it gives NaN in a cosine and is left
// out of means.
// Source: mean resultant length from directional statistics (Mardia & Jupp).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// −1 to 1. Requires: equal lengths.
double cosine(std::span<const float> a_D, std::span<const float> b_D);

/// Every token against every router row, [T][E]. No tokens: empty.
/// Requires: both sizes are multiples of dim ≥ 1.
std::vector<double> cosine_matrix(std::span<const float> tokens_TD, std::span<const float> router_ED, int dim);

/// Length of the mean of the unit vectors: 0 for directions that cancel, 1 if all are the same (collapse).
/// No vector with a direction: NaN.
double mean_resultant_length(std::span<const float> rows_TD, int dim);

/// Smallest angle between any two rows, 0 to π, in radians. Fewer than two rows with a direction: NaN.
double smallest_angle_rad(std::span<const float> rows_ED, int dim);

/// Mean and spread of the angle between tokens and their expert's row: the radius of an expert's cap.
struct Cap {
  double mean_angle_rad = 0.0;  // NaN without tokens
  double sd_angle_rad = 0.0;    // population; NaN without tokens
  int num_tokens = 0;
};

/// One cap per expert over the tokens whose first choice it is; `expert_T` −1: no expert.
/// Requires: expert_T.size() = T.
std::vector<Cap> expert_caps(std::span<const float> tokens_TD, std::span<const float> router_ED,
                             std::span<const std::int16_t> expert_T, int dim);

}  // namespace moescope::analysis
