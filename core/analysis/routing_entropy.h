#pragma once
// How undecided the router is per token, how evenly it spreads over all tokens, and the information between the two.
// T tokens, E experts. Entropies in nats, always over all E experts, never over the chosen K.
// Source: E[H] per router is the entropy figure of HyperRouter (Do et al. 2023).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

struct RoutingEntropy {
  double mean = 0.0;                // E[H_t]
  double normalized_mean = 0.0;     // mean / ln E, 0 to 1; 0 for a single expert
  double marginal = 0.0;            // H(E[p])
  double mutual_information = 0.0;  // marginal − mean: ln E if confident and balanced, 0 if uniform or collapsed
  std::int64_t num_tokens = 0;      // tokens the figures rest on
  std::int64_t skipped_tokens = 0;  // rows without a distribution: see token_entropy
};

/// H_t of each row. A row is first divided by its sum, so sigmoid scores and ReLU outputs may be passed as they are; a
/// row that is all zero, or has a negative or non-finite entry, has no distribution and gives NaN. Empty in, empty out.
/// Requires: probs_TE.size() is a multiple of num_experts ≥ 1.
std::vector<double> token_entropy(std::span<const float> probs_TE, int num_experts);

/// Rows without a distribution are skipped and counted. No usable row: all four figures NaN. Requires: as above.
RoutingEntropy routing_entropy(std::span<const float> probs_TE, int num_experts);

}  // namespace moescope::analysis
