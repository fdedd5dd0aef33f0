#pragma once
// The state of a run as everyone but the trainer sees it. Threads: RunStatus is a plain value; StatusBoard may be used
// from any thread and holds its lock only to copy.

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/mutex.h"

namespace moescope::bus {

enum class RunState { kIdle, kRunning, kPaused, kStopping, kFailed, kFinished };

std::string state_name(RunState state);

struct Failure {
  std::int64_t step = 0;
  std::string
      phase;  ///< "prepare", "data", "forward", "backward", "optimizer", "validate", "probe", "publish", "record"
  std::string message;
};

struct RunStatus {
  RunState state = RunState::kIdle;
  std::int64_t step = 0;
  std::string activity;  ///< what long work goes on: "rendering manual pages"; empty when none
  double progress = -1;  ///< 0 to 1 of that work; −1: unknown
  Failure failure;       ///< in kFailed
  std::string inexact;   ///< why the bits may differ from those of the recorded run gone on from; empty: they do not
  /// Steps, rising, of the checkpoints that are on disk and that training may start from: the newest, at most
  /// kMostCheckpoints.
  std::vector<std::int64_t> checkpoints;
  std::uint64_t heartbeat = 0;  ///< grows while the trainer lives
};
inline constexpr std::size_t kMostCheckpoints = 4096;

/// Nothing to tell a watcher who has seen the other but that the trainer lives.
bool same_but_heartbeat(const RunStatus& a, const RunStatus& b);

class StatusBoard {
 public:
  RunStatus read() const {
    MutexLock lock(mutex_);
    return status_;
  }
  template <class Change>
  void update(Change&& change) {
    MutexLock lock(mutex_);
    change(status_);
    ++status_.heartbeat;
  }

 private:
  mutable Mutex mutex_;
  RunStatus status_ MOESCOPE_GUARDED_BY(mutex_);
};

}  // namespace moescope::bus
