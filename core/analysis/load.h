#pragma once
// How evenly experts are used, which are dead, and what capacity drops. Loads are counted *before* capacity; drops are
// told apart. E experts, N assignments.
// Source: MaxVio from Wang et al. 2024 (loss-free balancing).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// n_i are the loads, n̄ their mean, f_i = n_i / Σn. Everything is NaN (shares empty of meaning too) if Σn = 0.
struct LoadStatistics {
  std::vector<double> share_E;      // f_i, sums to 1
  double total = 0.0;               // Σn: the window the figures rest on
  double entropy = 0.0;             // −Σ f ln f, nats
  double normalized_entropy = 0.0;  // entropy / ln E, 0 to 1; 1 for a single expert
  double effective_experts = 0.0;   // e^entropy, 1 to E
  double cv2_population = 0.0;      // variance / n̄² with 1/E
  double cv2_sample = 0.0;          // variance / n̄² with 1/(E − 1); NaN for a single expert
  double max_violation = 0.0;       // MaxVio: (max n − n̄) / n̄
  double min_violation = 0.0;       // (n̄ − min n) / n̄
  double gini = 0.0;                // ΣΣ |n_i − n_j| / (2 E² n̄)
};

/// Loads may be counts or a mass (for soft mixtures: summed weights). No experts: total 0, everything else NaN.
/// Requires: loads not negative.
LoadStatistics load_statistics(std::span<const double> load_E);
LoadStatistics load_statistics(std::span<const std::int64_t> load_E);

struct DeadExperts {
  std::vector<int> dead;         // no load at all in the window
  std::vector<int> nearly_dead;  // load, but a share below 0.1 / E
  std::int64_t window_tokens = 0;
  bool window_is_long_enough = false;  // at least 100·E tokens; below that an empty expert may be chance
};

/// `load_E` is summed over a window of `window_tokens` tokens. An empty window: every expert is dead, and the window
/// is not long enough.
DeadExperts dead_experts(std::span<const std::int64_t> load_E, std::int64_t window_tokens);

struct DropStatistics {
  std::int64_t assigned = 0;                    // assignments with an expert
  std::int64_t dropped = 0;                     // of those, not kept
  double drop_rate = 0.0;                       // dropped / assigned; NaN if nothing was assigned
  double unserved_tokens = 0.0;                 // share of tokens without any kept assignment; NaN without tokens
  std::vector<std::int64_t> tokens_by_experts;  // element j: how many tokens kept exactly j assignments
};

/// A flat list of assignments: token, expert (−1: no assignment, ignored) and whether capacity kept it (0 or 1).
/// Requires: equal lengths, tokens in [0, num_tokens).
DropStatistics drop_statistics(std::span<const std::int32_t> token_N, std::span<const std::int32_t> expert_N,
                               std::span<const std::uint8_t> kept_N, std::int64_t num_tokens);

}  // namespace moescope::analysis
