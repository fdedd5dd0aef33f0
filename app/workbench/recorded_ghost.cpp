#include "app/workbench/recorded_ghost.h"

#include <memory>
#include <utility>

#include "app/workbench/recorded_journal.h"

namespace moescope::app {

telemetry::Ghost ghost_of(LoadedRun run, const telemetry::RunInfo* shown) {
  const bool same_experts =
      shown && !shown->id.empty() &&
      (run.facts.id == shown->id || run.facts.parent_id == shown->id || same_folder(shown->parent_folder, run.folder) ||
       same_folder(shown->parent_folder, run.facts.parent_folder));
  return {short_run_name(run.folder), std::make_shared<telemetry::History>(std::move(run.history)), same_experts};
}

}  // namespace moescope::app
