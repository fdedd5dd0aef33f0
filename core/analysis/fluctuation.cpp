#include "core/analysis/fluctuation.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "core/base/assert.h"

namespace moescope::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using Row = std::span<const std::int16_t>;

/// Size of the intersection; missing choices (−1) pair up one to one.
int shared_choices(Row a_K, Row b_K) {
  int shared = 0;
  for (std::size_t i = 0; i < a_K.size(); ++i) {
    if (a_K[i] >= 0 && std::find(b_K.begin(), b_K.end(), a_K[i]) != b_K.end()) ++shared;
  }
  const auto missing = [](Row row_K) {
    return std::count_if(row_K.begin(), row_K.end(), [](auto e) { return e < 0; });
  };
  return shared + static_cast<int>(std::min(missing(a_K), missing(b_K)));
}

/// Experts that are in exactly one of the two sets; a missing choice is in neither.
int mask_difference(Row a_K, Row b_K) {
  const auto absent_from = [](Row other_K) {
    return
        [other_K](std::int16_t e) { return e >= 0 && std::find(other_K.begin(), other_K.end(), e) == other_K.end(); };
  };
  return static_cast<int>(std::count_if(a_K.begin(), a_K.end(), absent_from(b_K)) +
                          std::count_if(b_K.begin(), b_K.end(), absent_from(a_K)));
}

void require_comparable(Row before_TK, Row after_TK, int top_k) {
  MOESCOPE_ASSERT(top_k >= 1, "a token has at least one choice");
  MOESCOPE_ASSERT(before_TK.size() == after_TK.size(), "both checkpoints cover the same probe tokens");
  MOESCOPE_ASSERT(before_TK.size() % static_cast<std::size_t>(top_k) == 0, "the list is tokens times choices");
}

/// What the checkpoint after `checkpoint` is compared with.
Row successor_reference(const Checkpoint& checkpoint) {
  return checkpoint.break_reference_TK.empty() ? checkpoint.expert_TK : checkpoint.break_reference_TK;
}

std::vector<std::int16_t> first_choices(Row expert_TK, std::size_t top_k) {
  std::vector<std::int16_t> expert_T(expert_TK.size() / top_k);
  for (std::size_t t = 0; t < expert_T.size(); ++t) expert_T[t] = expert_TK[t * top_k];
  return expert_T;
}

}  // namespace

Fluctuation fluctuation_between(Row before_TK, Row after_TK, int top_k) {
  require_comparable(before_TK, after_TK, top_k);
  const auto k = static_cast<std::size_t>(top_k);
  const std::size_t num_tokens = before_TK.size() / k;
  Fluctuation result;
  result.num_tokens = static_cast<std::int64_t>(num_tokens);
  if (num_tokens == 0) {
    result.first_choice = result.choice_set = kNan;
    return result;
  }
  std::int64_t changed_first = 0;
  std::int64_t lost_choices = 0;
  for (std::size_t t = 0; t < num_tokens; ++t) {
    const Row before_K = before_TK.subspan(t * k, k);
    const Row after_K = after_TK.subspan(t * k, k);
    if (before_K[0] != after_K[0]) ++changed_first;
    lost_choices += top_k - shared_choices(before_K, after_K);
  }
  const auto tokens = static_cast<double>(num_tokens);
  result.first_choice = static_cast<double>(changed_first) / tokens;
  result.choice_set = static_cast<double>(lost_choices) / (tokens * top_k);
  return result;
}

std::vector<Fluctuation> fluctuation_series(std::span<const Checkpoint> checkpoints, int top_k) {
  std::vector<Fluctuation> series;
  for (std::size_t c = 1; c < checkpoints.size(); ++c) {
    const Checkpoint& before = checkpoints[c - 1];
    const Checkpoint& after = checkpoints[c];
    MOESCOPE_ASSERT(after.step > before.step, "checkpoints are in the order of their steps");
    Fluctuation result = fluctuation_between(successor_reference(before), after.expert_TK, top_k);
    result.step = after.step;
    result.spacing_steps = after.step - before.step;
    result.across_break = !before.break_reference_TK.empty();
    series.push_back(result);
  }
  return series;
}

Flips flips_between(Row before_TK, Row after_TK, int top_k, int num_experts) {
  require_comparable(before_TK, after_TK, top_k);
  MOESCOPE_ASSERT(num_experts >= 1, "a layer has at least one expert");
  const auto k = static_cast<std::size_t>(top_k);
  const std::size_t num_tokens = before_TK.size() / k;
  if (num_tokens == 0) return {kNan, kNan, 0};
  std::int64_t flips = 0;
  for (std::size_t t = 0; t < num_tokens; ++t) {
    flips += mask_difference(before_TK.subspan(t * k, k), after_TK.subspan(t * k, k));
  }
  const double count = static_cast<double>(flips) / static_cast<double>(num_tokens);
  return {count / num_experts, count, static_cast<std::int64_t>(num_tokens)};
}

LastFluctuation last_fluctuation(std::span<const Checkpoint> checkpoints, int top_k) {
  MOESCOPE_ASSERT(top_k >= 1, "a token has at least one choice");
  LastFluctuation result;
  if (checkpoints.empty()) return result;
  const auto k = static_cast<std::size_t>(top_k);
  for (const Checkpoint& checkpoint : checkpoints) result.checkpoint_step_C.push_back(checkpoint.step);
  result.final_step = checkpoints.back().step;

  std::vector<std::int16_t> judged_against_T = first_choices(checkpoints.back().expert_TK, k);
  result.last_step_T.assign(judged_against_T.size(), 0);
  for (std::size_t c = checkpoints.size() - 1; c-- > 0;) {  // backwards, so the first deviation met is the last in time
    const Checkpoint& checkpoint = checkpoints[c];
    const Row expert_TK = successor_reference(checkpoint);
    MOESCOPE_ASSERT(checkpoint.step > 0 && checkpoint.step < checkpoints[c + 1].step, "steps are positive and rise");
    MOESCOPE_ASSERT(expert_TK.size() == judged_against_T.size() * k, "every checkpoint covers the same probe tokens");
    for (std::size_t t = 0; t < judged_against_T.size(); ++t) {
      if (result.last_step_T[t] == 0 && expert_TK[t * k] != judged_against_T[t])
        result.last_step_T[t] = checkpoint.step;
    }
    if (!checkpoint.break_reference_TK.empty()) judged_against_T = first_choices(checkpoint.expert_TK, k);
  }
  return result;
}

double share_beyond(const LastFluctuation& last, double progress) {
  if (last.last_step_T.empty()) return kNan;
  const auto total = static_cast<double>(last.final_step);
  const auto beyond = std::count_if(last.last_step_T.begin(), last.last_step_T.end(),
                                    [&](std::int64_t step) { return static_cast<double>(step) / total > progress; });
  return static_cast<double>(beyond) / static_cast<double>(last.last_step_T.size());
}

std::vector<ShareAtProgress> cumulative_share(const LastFluctuation& last) {
  std::vector<ShareAtProgress> curve;
  if (last.last_step_T.empty()) return curve;
  std::vector<std::int64_t> sorted = last.last_step_T;
  std::sort(sorted.begin(), sorted.end());
  const auto share_until = [&](std::int64_t step) {
    const auto until = std::upper_bound(sorted.begin(), sorted.end(), step) - sorted.begin();
    return static_cast<double>(until) / static_cast<double>(sorted.size());
  };
  curve.push_back({0.0, share_until(0)});
  for (const std::int64_t step : last.checkpoint_step_C) {
    curve.push_back({static_cast<double>(step) / static_cast<double>(last.final_step), share_until(step)});
  }
  return curve;
}

std::vector<Saturation> router_saturation(std::span<const Checkpoint> checkpoints, int top_k) {
  std::vector<Saturation> curve(checkpoints.size());
  if (checkpoints.empty()) return curve;
  const auto final_step = static_cast<double>(checkpoints.back().step);
  Row judged_against_TK = checkpoints.back().expert_TK;
  for (std::size_t c = checkpoints.size(); c-- > 0;) {
    const Checkpoint& checkpoint = checkpoints[c];
    const bool is_last = c + 1 == checkpoints.size();
    MOESCOPE_ASSERT(checkpoint.step > 0 && (is_last || checkpoint.step < checkpoints[c + 1].step),
                    "steps are positive and rise");
    const Row expert_TK = is_last ? checkpoint.expert_TK : successor_reference(checkpoint);  // no successor, no break
    const Fluctuation left = fluctuation_between(expert_TK, judged_against_TK, top_k);
    curve[c] = {checkpoint.step, static_cast<double>(checkpoint.step) / final_step, 1.0 - left.choice_set,
                left.num_tokens};
    if (!checkpoint.break_reference_TK.empty()) judged_against_TK = checkpoint.expert_TK;
  }
  return curve;
}

}  // namespace moescope::analysis
