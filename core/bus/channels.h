#pragma once
// The queues between one trainer and one watcher. All bounded; each says what happens when it is full.
// Threads: the trainer thread on one side, the UI or CLI thread on the other.

#include <memory>

#include "core/base/bounded_queue.h"
#include "core/bus/command.h"
#include "core/bus/run_state.h"
#include "core/telemetry/frame.h"

namespace moescope::bus {

struct Channels {
  BoundedQueue<Command> commands{64};             ///< full: the push is refused, and the button says so
  BoundedQueue<Reply> replies{1024};              ///< full: the oldest goes (the journal file has them all)
  BoundedQueue<telemetry::FramePtr> frames{256};  ///< full: the oldest goes and is counted
  BoundedQueue<std::shared_ptr<const telemetry::RunInfo>> runs{4};  ///< one per run
  StatusBoard status;
};

}  // namespace moescope::bus
