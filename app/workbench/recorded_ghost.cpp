#include "app/workbench/recorded_ghost.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "app/workbench/recorded_journal.h"

namespace moescope::app {
namespace {

using Ids = std::vector<std::string>;

Ids with_ancestors(const std::string& id, Ids ancestors) {
  ancestors.insert(ancestors.begin(), id);
  return ancestors;
}

bool come_from_one(const LoadedRun& run, const telemetry::RunInfo& shown) {
  if (shown.id.empty()) return false;
  const Ids here = with_ancestors(shown.id, shown.ancestors);
  const Ids there = with_ancestors(run.facts.id, run.facts.ancestors());
  if (std::find_first_of(here.begin(), here.end(), there.begin(), there.end()) != here.end()) return true;
  // A run in a process of its own tells where its parent lies, not that run's id.
  return shown.ancestors.empty() &&
         (same_folder(shown.parent_folder, run.folder) || same_folder(shown.parent_folder, run.facts.parent_folder));
}

}  // namespace

telemetry::Ghost ghost_of(LoadedRun run, const telemetry::RunInfo* shown) {
  const bool same_experts = shown && come_from_one(run, *shown);
  return {short_run_name(run.folder), std::make_shared<telemetry::History>(std::move(run.history)), same_experts};
}

std::string parent_folder(const LoadedRun& fork) {
  namespace fs = std::filesystem;
  const fs::path recorded = fork.facts.parent_folder;
  if (recorded.empty()) return {};
  std::error_code ignored;
  for (const fs::path& folder : {recorded, fs::path(fork.folder).parent_path() / recorded.filename()})
    if (fs::is_directory(folder, ignored)) return folder.string();
  return {};
}

}  // namespace moescope::app
