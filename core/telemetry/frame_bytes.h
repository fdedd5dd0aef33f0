#pragma once
// What goes up, as bytes and back: the one encoding that both the run file and the pipe of a child process use.
// MessagePack, each value an array with its version first; floats keep their bits, NaN included. Reading trusts
// nothing: counts, depth and sizes are limited, and whatever does not fit is an error, never a crash.
// Threads: pure functions.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/telemetry/frame.h"

namespace moescope::telemetry {

/// Everything of a frame but its probe, spaces, expert tokens and events, which are stored apart.
std::string step_bytes(const TelemetryFrame& frame);
std::string probe_bytes(const ProbeSnapshot& probe);
std::string space_bytes(const RouterSpace& space);
std::string tokens_bytes(std::int64_t step, const std::vector<ExpertTokens>& tokens);
std::string event_bytes(const Event& event);
std::string run_info_bytes(const RunInfo& info);

/// Reads one value from the front of `bytes` and moves `bytes` behind it, so that values may stand one after another.
/// An error leaves `bytes` as it was.
Result<std::shared_ptr<TelemetryFrame>> read_step(std::string_view& bytes);
Result<std::shared_ptr<ProbeSnapshot>> read_probe(std::string_view& bytes);
Result<std::shared_ptr<RouterSpace>> read_space(std::string_view& bytes);
struct StampedTokens {
  std::int64_t step = 0;
  std::vector<ExpertTokens> tokens;
};
Result<StampedTokens> read_tokens(std::string_view& bytes);
Result<Event> read_event(std::string_view& bytes);
Result<RunInfo> read_run_info(std::string_view& bytes);

/// A whole frame with all its parts, for a pipe.
std::string frame_bytes(const TelemetryFrame& frame);
Result<std::shared_ptr<TelemetryFrame>> read_frame(std::string_view& bytes);

}  // namespace moescope::telemetry
