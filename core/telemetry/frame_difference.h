#pragma once
// Two frames of one step held against each other, to the bit: what was trained, never how long it took or who watched.
// Threads: pure functions.

#include <string>

#include "core/telemetry/frame.h"

namespace moescope::telemetry {

/// "grad_norm is 0.51 and was 0.52", "the load of L2·E3 is 40 and was 41": the first thing that differs between what
/// was recorded and what is now; empty when nothing does. Compared: losses, learning rate, gradient norm, stage,
/// controls, loads, drops, entropy; the validation loss where both have one.
std::string difference(const TelemetryFrame& was, const TelemetryFrame& is);

}  // namespace moescope::telemetry
