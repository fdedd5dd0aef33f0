#pragma once
// One layer's loads of two runs over the same steps. Threads: pure functions over plain values.
//
// A pixel of the time axis stands for a stretch of steps, but the two histories may have merged their columns
// differently. So the stretch grows to the whole of every column, of either run, that it touches; then it is cut to the
// steps that both runs have; then each run's share is averaged over this one stretch, a column weighted by those of its
// steps that lie inside. Where columns of one run begin and end with columns of the other both means are exact; else a
// merged column that is cut counts as even over its steps, which is all that is known of it.

#include <optional>
#include <vector>

#include "core/telemetry/history.h"
#include "views/scene/layer_load.h"

namespace moescope::views {

struct SharePair {
  StepStretch over;            ///< what the means are over
  std::vector<double> mine_E;  ///< shares of the layer's pairs
  std::vector<double> other_E;
  /// In units of the fair share 1/E: 0 as many, 1 a fair share more than the other.
  double difference(std::size_t expert) const {
    return (mine_E[expert] - other_E[expert]) * static_cast<double>(mine_E.size());
  }
};

/// Nothing where one of the runs has no step in the stretch. Requires: the same number of experts and layers.
std::optional<SharePair> share_pair(const telemetry::History& mine, const telemetry::History& other, int layer,
                                    StepStretch stretch);

/// Smoothed like layer_load(), at a step of both, over the steps that both have: a fork's first steps are not held
/// against what its parent did before. Nothing where one of the runs lacks the step.
std::optional<SharePair> recent_pair(const telemetry::History& mine, const telemetry::History& other, int layer,
                                     std::int64_t step);

}  // namespace moescope::views
