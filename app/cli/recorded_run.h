#pragma once
// A recorded run as the verbs that take one need it. Threads: one owner.

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/record/run_reader.h"

namespace moescope::cli {

struct RecordedRun {
  std::unique_ptr<record::RunReader> reader;
  config::RunConfig config;  ///< as recorded, read again

  bool reached_its_end() const { return reader->last_step() >= config.train.steps; }
  /// The newest whole one at or before `step` that training may start from (null: the run's beginning). Each damaged
  /// one that was passed over becomes a warning.
  const record::CheckpointRow* checkpoint_before(std::int64_t step, std::vector<std::string>& warnings) const;
  std::vector<record::CheckpointRow> checkpoints;
};

/// `path`: a run folder or its run.db. Errors: what RunReader::open() refuses, and a recorded configuration that this
/// build cannot read.
Result<RecordedRun> open_recorded(const std::string& path);

/// "finished", "running, step 430 of 1,500", "stopped at step …", "failed at step …"; "interrupted at step …": its
/// process ended without recording an end; "damaged, readable to step …": how it ended cannot be told.
std::string state_in_words(const RecordedRun& run);

}  // namespace moescope::cli
