#pragma once
// One layer's load as it stands at a step: smoothed shares, what capacity drops, who starves and since when.
// Threads: pure functions over plain values.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/telemetry/history.h"

namespace moescope::views {

inline constexpr double kLoadHalfLife = 5;     ///< steps
inline constexpr double kStarvingShare = 0.1;  ///< of the fair share 1/E: the line of "nearly dead"

struct LayerLoad {
  std::vector<double> share_E;    ///< EMA, sums to 1; empty before the first column
  std::vector<double> dropped_E;  ///< of the expert's own pairs, EMA
  /// First step of the stretch, up to now, in which the expert got less than kStarvingShare of its fair share; only
  /// for stretches of at least 5 steps and 100·E tokens, below which an empty expert may be chance.
  std::vector<std::optional<std::int64_t>> starving_since_E;
  std::vector<char> dead_E;  ///< starving and without a single pair in all of that stretch
  double effective_experts = 0;
  double dropped = 0;  ///< of all pairs, EMA

  int num_dead() const;
};

/// Of the columns that begin at `from_step` or later.
LayerLoad layer_load(const telemetry::History& history, int layer, std::int64_t until_step, std::int64_t from_step = 0);

/// Part of the time axis: the step s fills it from s − 1 to s, so that the newest step ends at the right edge.
struct StepStretch {
  double begin = 0, end = 0;
};

/// The columns with a step inside the stretch, however small the part.
std::span<const telemetry::LoadColumn> columns_under(const std::vector<telemetry::LoadColumn>& columns,
                                                     StepStretch stretch);

/// The column that holds `step` (or the newest before it), nullptr before the first.
const telemetry::LoadColumn* load_column_at(const telemetry::History& history, std::int64_t step);

/// "E7 starves since step 402", "E5, E7 starve since step 380", "E7 is dead since step 402"; empty: nobody starves.
std::string starving_text(const LayerLoad& load);

}  // namespace moescope::views
