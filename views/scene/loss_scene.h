#pragma once
// Loss over steps: task loss as raw band and bold exponential mean, validation, the unigram entropy of the training
// text as reference, auxiliary losses as small bands beneath. Bits per token. Threads: pure functions.

#include <cstdint>
#include <string>

#include "views/scene/loss_curves.h"
#include "views/view.h"

namespace moescope::views {

struct LossState {
  AxisLimits bits;  ///< of the main plot

  /// Once per draw; `seconds` since the last one.
  void update(const ViewContext& context, double seconds);
};

Scene loss_scene(const ViewContext& context, Size size, const LossState& state);

TimeAxis loss_time_axis(const ViewContext& context, Size size);

/// Every curve's exact value at `step`, as tooltip lines.
std::string loss_readout(const ViewContext& context, std::int64_t step);

}  // namespace moescope::views
