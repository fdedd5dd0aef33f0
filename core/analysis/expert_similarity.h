#pragma once
// How alike the experts of a layer are: by what they output for the same tokens, and by their weights.
// E experts, T probe tokens, D model width, F neurons per expert, W weights per neuron. Show the untrained values
// beside the trained ones: experts that start at zero, as StableMoE's, start identical.
// Source: linear CKA from Kornblith et al. 2019.
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>

#include "core/analysis/small_matrix.h"

namespace moescope::analysis {

struct Similarity {
  Matrix value_EE;                 // symmetric; NaN where a pair has no value
  double off_diagonal_mean = 0.0;  // over the pairs of different experts that have a value; NaN without one
  std::int64_t num_rows = 0;       // tokens, or neurons per expert, that every pair rests on
};

enum class OutputCentering { kNone, kMeanOverExperts };

/// Mean over tokens of the cosine between two experts' outputs for the same token. `output_ETD` holds *every* expert's
/// output for *every* token, without the residual part, which all experts share. With `kMeanOverExperts` the mean over
/// experts is subtracted from each token first, so the value tells what an expert adds of its own: equal shares around
/// the mean give −1/(E−1). A token for which one of the two outputs is zero is left out of their mean.
/// Requires: output_ETD.size() is a multiple of num_experts · dim, both ≥ 1; finite values.
Similarity output_cosine(std::span<const float> output_ETD, int num_experts, int dim, OutputCentering centering);

/// Linear CKA of two sets of features for the same tokens: ‖YᵀX‖_F² / (‖XᵀX‖_F ‖YᵀY‖_F) after centring columns.
/// 0 to 1; invariant to rotation, shift and global scale, not to the scale of one column. NaN if one of them does not
/// vary over the tokens. Requires: the same number of rows, dims ≥ 1, finite values.
double linear_cka(std::span<const float> x_TD, int x_dim, std::span<const float> y_TD, int y_dim);

/// Linear CKA between all experts; E² · T · D² operations. Requires: as output_cosine.
Similarity output_cka(std::span<const float> output_ETD, int num_experts, int dim);

struct MatchedWeights {
  Similarity flattened;  // cosine of all weights, taken in matched order, signs as they are
  Similarity neurons;    // mean |cosine| over the matched pairs of neurons
};

/// Weights of two experts compared after their neurons are matched (largest summed |cosine|): the order of neurons is
/// arbitrary, so an unmatched cosine near 0 would say nothing. A neuron is its row of W1 joined with its column of W2,
/// `neuron_EFW`. A neuron of zeros has cosine 0 with every other; an expert of zeros has no flattened value.
/// Unrelated experts do not reach 0 in `neurons`, since a matching picks the best: show untrained experts beside it.
/// E² · F² · (F + W) operations. Requires: neuron_EFW.size() is a multiple of num_experts · hidden, both ≥ 1; finite.
MatchedWeights matched_weights(std::span<const float> neuron_EFW, int num_experts, int hidden);

}  // namespace moescope::analysis
