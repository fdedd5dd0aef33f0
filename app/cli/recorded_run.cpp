#include "app/cli/recorded_run.h"

#include <filesystem>
#include <utility>

#include "app/cli/registered.h"
#include "core/base/text.h"

namespace moescope::cli {

const record::CheckpointRow* RecordedRun::checkpoint_before(std::int64_t step) const {
  const record::CheckpointRow* found = nullptr;
  for (const record::CheckpointRow& row : checkpoints)
    if (row.step <= step && row.kind != record::CheckpointKind::kTainted) found = &row;
  return found;
}

Result<RecordedRun> open_recorded(const std::string& path) {
  auto reader = record::RunReader::open(path);
  if (!reader) return reader.error();
  auto config = config::read_run_config((*reader)->facts().config_toml,
                                        (*reader)->folder() + ": recorded configuration", registered_methods());
  if (!config) return config.error();
  RecordedRun run{std::move(*reader), std::move(*config), {}};
  run.checkpoints = run.reader->checkpoints();
  return run;
}

std::string state_in_words(const RecordedRun& run) {
  const std::string steps = with_thousands(run.reader->last_step()) + " of " + with_thousands(run.config.train.steps);
  if (run.reader->being_written()) return "being trained, step " + steps;
  return run.reached_its_end() ? "finished" : "stopped at step " + steps;
}

bool same_folder(const std::string& a, const std::string& b) {
  std::error_code failure;
  return std::filesystem::equivalent(a, b, failure) && !failure;
}

}  // namespace moescope::cli
