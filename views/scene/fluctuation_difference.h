#pragma once
// Where a run's probe tokens go to other experts than a ghost's. Threads: pure functions over plain values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "views/scene/fluctuation_scene.h"

namespace moescope::views {

/// By probe of the run that is shown. Each is held against the ghost's newest probe at or before the same step, since
/// the two may be probed at different spacings; beyond the ghost's last step there is nothing to hold it against.
struct FluctuationDifference {
  static constexpr std::int16_t kUnknown = -2;
  std::string name;                     ///< the ghost's
  std::vector<std::int64_t> step_C;     ///< of the ghost's probe; −1: none
  std::vector<std::int16_t> expert_CM;  ///< the ghost's first choice; kUnknown: no probe
  std::vector<double> elsewhere_C;      ///< share of tokens that go to another expert than the ghost's; NaN: no probe
};

FluctuationDifference fluctuation_difference(const FluctuationRows& rows, const telemetry::Ghost& ghost, int layer);

/// Why tokens of the two runs' probes cannot be compared one by one, in words; empty: they are the same tokens.
std::string probe_mismatch(const telemetry::RunInfo& run, const telemetry::RunInfo& other);

/// probe_mismatch() with the ghost that the selection names; empty without one.
std::string difference_obstacle(const ViewContext& context);

/// What the selection asks for; nothing when it asks for none, or the probes are not the same.
std::optional<FluctuationDifference> chosen_difference(const ViewContext& context, const FluctuationRows& rows);

/// "8.3 % of the probe tokens go to another expert than in parent", at the last probe of `rows`.
std::string elsewhere_text(const FluctuationDifference& difference);

}  // namespace moescope::views
