#pragma once
// What every verb that trains shares: the trainer started, what it tells shown, Ctrl-C obeyed, an exit code at the end.
// Threads: main thread only.

#include <string>
#include <vector>

#include "core/train/trainer_thread.h"

namespace moescope::cli {

struct FollowOptions {
  bool json = false;              ///< JSON lines even on a terminal
  std::vector<std::string> said;  ///< sentences for the person, right behind the first line; on stderr
  std::int64_t start_step = 0;    ///< where a continued or forked run starts; told in the first JSON line
  bool isolate = false;           ///< in a process of its own
};

/// Trains `request` until it ends or is interrupted. Returns an ExitCode; what went wrong has been told.
int follow_run(const train::RunRequest& request, const FollowOptions& options);

}  // namespace moescope::cli
