#pragma once
// How much the routing of a fixed probe set flickers from checkpoint to checkpoint, and when each token last changed
// its expert. Not here: choosing the probe set, or what a method's choice is.
// T probe tokens, K choices per token, E experts. A choice of −1 means "no expert" and equals only itself.
// Sources: X-MoE (Chi et al. 2022), RF ratio; ReMoE (Wang et al. 2025), flip rate; StableMoE (Dai et al. 2022), Fig. 2.
// Threads: pure functions over the caller's arrays.

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// What the probe recorded at one step. The arrays belong to the caller and all have the same length T·K.
struct Checkpoint {
  std::int64_t step = 0;
  std::span<const std::int16_t> expert_TK;
  /// Not empty: a break (a stage switch) follows, and the *next* checkpoint is compared with this choice instead of
  /// expert_TK. It is the student's choice just before the switch.
  std::span<const std::int16_t> break_reference_TK = {};
};

/// Fluctuation between two checkpoints. It depends on their spacing, so a picture must show the spacing with it.
struct Fluctuation {
  double first_choice = 0.0;  // share of tokens whose first choice changed, 0 to 1; NaN without tokens
  double choice_set = 0.0;    // mean of 1 − |set ∩ set before| / K, 0 to 1; the same at K = 1; NaN without tokens
  std::int64_t num_tokens = 0;
  std::int64_t step = 0;           // of the later checkpoint
  std::int64_t spacing_steps = 0;  // later minus earlier step
  bool across_break = false;       // compared with a break reference
};

/// RF ratio between two assignment lists (X-MoE). Steps are left 0. No tokens: both ratios NaN.
/// Requires: equal lengths, multiples of top_k ≥ 1; experts within a row differ.
Fluctuation fluctuation_between(std::span<const std::int16_t> before_TK, std::span<const std::int16_t> after_TK,
                                int top_k);

/// RF ratio of every checkpoint against the one before it; one element fewer than checkpoints, none for 0 or 1.
/// Requires: steps rise.
std::vector<Fluctuation> fluctuation_series(std::span<const Checkpoint> checkpoints, int top_k);

struct Flips {
  double rate = 0.0;   // entries of the T × E choice mask that differ, share of all T·E; NaN without tokens
  double count = 0.0;  // the same per token: E · rate. A changed first choice at K = 1 counts 2
  std::int64_t num_tokens = 0;
};

/// Flip rate and flip count (ReMoE). Requires: as fluctuation_between; experts in [−1, num_experts).
Flips flips_between(std::span<const std::int16_t> before_TK, std::span<const std::int16_t> after_TK, int top_k,
                    int num_experts);

/// Step of the last checkpoint at which each token was elsewhere than where it ended (StableMoE).
struct LastFluctuation {
  std::vector<std::int64_t> last_step_T;        // 0: never elsewhere
  std::vector<std::int64_t> checkpoint_step_C;  // the steps looked at; the last of them is `final_step`
  std::int64_t final_step = 0;
};

/// First choices only. While a run goes on "the end" is its newest checkpoint: the result is provisional, and two runs
/// compare only at equal progress. A token that left and came back counts by its last deviation.
/// At a break the student's choice is what the later checkpoints are judged against; the checkpoints before it are
/// judged against the last choice before the break. So the change of decider itself is no fluctuation, while a token
/// whose choice after the switch is not the student's counts with the last step before the break.
/// No checkpoints, or no tokens: all empty, final_step 0 without checkpoints.
/// Requires: steps rise and are positive; every checkpoint has the same number of tokens.
LastFluctuation last_fluctuation(std::span<const Checkpoint> checkpoints, int top_k);

/// Share of tokens with last_step / final_step > progress; progress in 0 to 1. No tokens: NaN.
double share_beyond(const LastFluctuation& last, double progress);

struct ShareAtProgress {
  double progress = 0.0;  // checkpoint step / final step
  double share = 0.0;     // tokens whose last fluctuation lies at or before it
};

/// The cumulative curve: one point at 0 and one per checkpoint, rising to 1. No tokens: empty.
std::vector<ShareAtProgress> cumulative_share(const LastFluctuation& last);

/// How much of where the tokens end is already decided at one checkpoint.
struct Saturation {
  std::int64_t step = 0;
  double progress = 0.0;  // step / final step
  double share = 0.0;     // mean of |set ∩ final set| / K, 0 to 1; NaN without tokens
  std::int64_t num_tokens = 0;
};

/// Router saturation (OLMoE, Muennighoff et al. 2024), one element per checkpoint, the last of them 1. While a run goes
/// on "the end" is its newest checkpoint, so the curve is provisional. At a break, as for last_fluctuation, the
/// student's choice is judged against the end, and the checkpoints before it against the last choice before the break.
/// Requires: as last_fluctuation.
std::vector<Saturation> router_saturation(std::span<const Checkpoint> checkpoints, int top_k);

}  // namespace moescope::analysis
