#include "core/bus/run_state.h"

namespace moescope::bus {

std::string state_name(RunState state) {
  switch (state) {
    case RunState::kIdle: return "idle";
    case RunState::kRunning: return "running";
    case RunState::kPaused: return "paused";
    case RunState::kStopping: return "stopping";
    case RunState::kFailed: return "failed";
    case RunState::kFinished: return "finished";
  }
  return "unknown";
}

}  // namespace moescope::bus
