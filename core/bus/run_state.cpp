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

bool same_but_heartbeat(const RunStatus& a, const RunStatus& b) {
  return a.state == b.state && a.step == b.step && a.activity == b.activity && a.progress == b.progress &&
         a.inexact == b.inexact && a.failure.message == b.failure.message && a.checkpoints == b.checkpoints;
}

}  // namespace moescope::bus
