#include "app/cli/recorded_run.h"

#include <filesystem>
#include <utility>

#include "app/cli/registered.h"
#include "core/base/text.h"
#include "core/record/checkpoint_files.h"
#include "core/record/safetensors.h"

namespace moescope::cli {

namespace {

/// What every end that was asked for leaves: its last checkpoint, or (a disk too full for that) the weights alone.
bool ended_by_itself(const RecordedRun& run) {
  const std::int64_t last = run.reader->last_step();
  for (const record::CheckpointRow& row : run.checkpoints)
    if (row.kind == record::CheckpointKind::kFinal && row.step == last) return true;
  const auto weights =
      record::read_safetensors_metadata((std::filesystem::path(run.reader->folder()) / "final.safetensors").string());
  return weights && record::number_in(*weights, "step") == last;
}

}  // namespace

const record::CheckpointRow* RecordedRun::checkpoint_before(std::int64_t step,
                                                            std::vector<std::string>& warnings) const {
  const record::Readable found = record::newest_readable(reader->folder(), checkpoints, step);
  const std::string used = found.row == nullptr ? "the run begins again" : found.row->file + " is used instead";
  for (const std::string& one : found.passed_over)
    warnings.push_back("warning: checkpoint " + printable(one) + "; " + printable(used));
  return found.row;
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
  if (run.reader->being_written()) return "running, step " + steps;
  const std::vector<record::EventRow> events = run.reader->events();
  if (const record::EventRow* failure = record::failure_at_end(events, run.reader->last_step()))
    return "failed at step " + with_thousands(failure->step) + " of " + with_thousands(run.config.train.steps);
  if (!run.reader->damages().empty()) return "damaged, readable to step " + steps;
  if (!ended_by_itself(run)) return "interrupted at step " + steps;
  return run.reached_its_end() ? "finished" : "stopped at step " + steps;
}

}  // namespace moescope::cli
