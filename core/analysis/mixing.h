#pragma once
// What is asked of methods that mix tokens (Mixture of Tokens) or draw their experts (THOR): how sharp the mixing is,
// how much of a token's output comes from other tokens, and how much the answer depends on the draw.
// T tokens, D model width, V vocabulary, R routings. Logarithms are natural, losses nats per token.
// Sources: Mixture of Tokens (Antoniak et al. 2023); THOR (Zuo et al. 2022).
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>

namespace moescope::analysis {

struct MixingEntropy {
  double mean = 0.0;              // over (group, expert) rows, nats
  double normalized_mean = 0.0;   // mean / ln(group size): 1 mixes evenly, 0 picks one token; 0 for groups of one
  std::int64_t num_rows = 0;      // rows the figures rest on
  std::int64_t skipped_rows = 0;  // rows without a distribution: negative, not finite or all zero
};

/// Of the mixing weights of each expert over the members of a group, one row per (group, expert); a row is first
/// divided by its sum. No usable row: NaN. Requires: weight_RG.size() is a multiple of group_size ≥ 1.
MixingEntropy mixing_entropy(std::span<const float> weight_RG, int group_size);

struct Leak {
  double mean = 0.0;  // ‖y(group) − y(group with the other members replaced)‖ / ‖y(group)‖ over tokens; NaN without any
  double max = 0.0;  // NaN without tokens
  std::int64_t num_tokens = 0;
  std::int64_t skipped_tokens = 0;  // output zero, so there is no ratio
};

/// How much of a token's output depends on who shares its group: 0 for a method that treats tokens alone.
/// Requires: equal sizes, multiples of dim ≥ 1.
Leak mixing_leak(std::span<const float> output_TD, std::span<const float> replaced_TD, int dim);

/// ½ [KL(p‖q) + KL(q‖p)] = ½ Σ_v (p − q)(ln p − ln q), from log-probabilities (of a log-softmax), where it stays finite
/// although probabilities underflow. −infinity is probability 0: in both, it adds nothing; in one, the result is
/// +infinity. Requires: equal sizes.
double symmetric_kl(std::span<const float> log_p_V, std::span<const float> log_q_V);

/// Mean over tokens: the consistency term of THOR. No tokens: NaN. Requires: equal sizes, multiples of vocabulary ≥ 1.
double mean_symmetric_kl(std::span<const float> log_p_TV, std::span<const float> log_q_TV, int vocabulary);

struct EnsembleGain {
  double mean_loss = 0.0;      // over routings, of each routing alone
  double ensemble_loss = 0.0;  // of the mean probability
  double gain = 0.0;           // ensemble − mean: at most 0, and more negative where routings disagree
  int num_routings = 0;
  std::int64_t num_tokens = 0;
};

/// From the log-probability that each routing gives the right answer, [R][T]. Nothing: NaN. A token that one routing
/// gives probability 0 makes mean_loss +infinity; if all do, the gain is NaN.
/// Requires: size is a multiple of num_routings ≥ 1.
EnsembleGain ensemble_gain(std::span<const float> log_prob_RT, int num_routings);

/// Share of (token, pair of routings) with equal answers, 0 to 1, from the most probable entry under each routing
/// [R][T]. Fewer than two routings, or no tokens: NaN. Requires: size is a multiple of num_routings ≥ 1.
double top1_agreement(std::span<const std::int32_t> answer_RT, int num_routings);

}  // namespace moescope::analysis
