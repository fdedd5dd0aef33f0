#pragma once
// A recorded run as a ghost behind another. Threads: any; parent_folder() looks at the disk.

#include "app/workbench/run_loader.h"
#include "core/telemetry/history.h"

namespace moescope::app {

/// `run` as the pictures of `shown` hold it behind them. Their experts are the same ones when both are branches of one
/// run: that one itself, its forks, their forks. Ids tell it, wherever the folders lie now; folders only where the
/// ancestors' ids are unknown. `shown`: with its id, ancestors and parent_folder; may be null.
telemetry::Ghost ghost_of(LoadedRun run, const telemetry::RunInfo* shown);

/// Where the run that a fork left should lie: as recorded, else beside the fork, since run folders are moved together.
/// Empty: it is no fork, or there is no such folder.
std::string parent_folder(const LoadedRun& fork);

}  // namespace moescope::app
