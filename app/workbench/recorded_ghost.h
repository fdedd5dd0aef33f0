#pragma once
// A recorded run as a ghost behind another. Threads: pure function.

#include "app/workbench/run_loader.h"
#include "core/telemetry/history.h"

namespace moescope::app {

/// `run` as the pictures of `shown` hold it behind them. Their experts are the same ones when both are branches of one
/// run: that one itself, its forks, their forks. Ids tell it, wherever the folders lie now; folders only where the
/// ancestors' ids are unknown. `shown`: with its id, ancestors and parent_folder; may be null.
telemetry::Ghost ghost_of(LoadedRun run, const telemetry::RunInfo* shown);

}  // namespace moescope::app
