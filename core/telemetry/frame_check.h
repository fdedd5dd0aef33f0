#pragma once
// Whether what was read from a file or another process fits together: views index frames by the run's description and
// by one another, so a value from outside passes here before they see it. Threads: pure functions.

#include <string>

#include "core/telemetry/frame.h"

namespace moescope::telemetry {

/// Empty, or what does not fit: "it has 70000 experts".
std::string misfit(const RunInfo& info);

/// Of a frame with whatever parts it has. Requires: misfit(info) is empty.
std::string misfit(const RunInfo& info, const TelemetryFrame& frame);

// The parts alone, for who stores them apart.
std::string misfit(const RunInfo& info, const ProbeSnapshot& probe);
std::string misfit(const RunInfo& info, const RouterSpace& space);
std::string misfit(const RunInfo& info, const ExpertTokens& tokens);

}  // namespace moescope::telemetry
