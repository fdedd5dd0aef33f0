#pragma once
// How many experts a token chooses as training goes on: SMoE-Dropout (Chen et al., ICLR 2023) grows k from few to all,
// and HyperRouter's released scripts do the same. Modes are those of the released code; where it breaks at the edges
// (short runs, the last step, an exponential that ends one short) these are total and arrive. Threads: pure functions.

#include <cstdint>
#include <string>
#include <vector>

namespace moescope::moe {

struct KSchedule {
  std::string mode = "fixed";  ///< one of k_schedule_modes()
  int first = 1;               ///< k at step 0
  int last = 1;                ///< k at the end: above `first` it grows, below it falls
};

/// "fixed": `last` throughout. "linear": equal steps. "cosine": slow first, a quarter of a cosine. "exponential": fast
/// first, a factor 0.99 per three-hundredth of the run. "multi_step": 1, 2, 4, 8 … (or halves) in equal parts.
const std::vector<std::string>& k_schedule_modes();

/// k at `step` of `total_steps` (≥ 1), between first and last; before the start it is `first`, from the end on `last`.
/// Halves round to even, as Python's round() in the released code. Requires: first, last ≥ 1, a known mode.
int k_at(const KSchedule& schedule, std::int64_t step, std::int64_t total_steps);

}  // namespace moescope::moe
