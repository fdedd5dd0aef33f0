#pragma once
// Which tokens an expert is chosen for more than the other experts are: the expert card's list. By log-odds, not by
// share, because shares favour rare tokens. E experts, V vocabulary entries.
// Source: smoothed log-odds ratio (Monroe et al. 2008, with a flat prior and without the variance weighting).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

struct TopToken {
  std::int32_t token_id = 0;
  std::int64_t count = 0;  // times this expert got it
  double log_odds = 0.0;   // nats; above 0: more typical of this expert than of the others
};

struct LogOddsSettings {
  int top_n = 12;
  std::int64_t min_count = 30;  // over all experts; rarer tokens are left out
  double smoothing = 0.5;       // pseudo-count added to every (expert, token); above 0
};

/// Best first for every expert; equal log-odds: the lower token id first. A token the expert never got is not listed,
/// so a list may be shorter than top_n, and is empty for a dead expert. No counts: E empty lists.
///   log_odds = ln[(c+s) / (n+sV−c−s)] − ln[(c'+s) / (n'+sV−c'−s)], c of n for the expert, c' of n' for all others.
/// With one vocabulary entry, or one expert, no odds exist: empty lists.
/// Requires: count_EV.size() = num_experts · vocabulary size.
std::vector<std::vector<TopToken>> top_tokens(std::span<const std::int64_t> count_EV, int num_experts,
                                              const LogOddsSettings& settings);

}  // namespace moescope::analysis
