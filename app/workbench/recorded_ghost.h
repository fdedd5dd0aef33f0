#pragma once
// A recorded run as a ghost behind another. Threads: pure function.

#include "app/workbench/run_loader.h"
#include "core/telemetry/history.h"

namespace moescope::app {

/// `run` as the pictures of `shown` hold it behind them. Their experts are the same ones when both are branches of one
/// run: one is the other, left it by a fork, or both left the same run. `shown`: with its id and parent_folder; may be
/// null.
telemetry::Ghost ghost_of(LoadedRun run, const telemetry::RunInfo* shown);

}  // namespace moescope::app
