#pragma once
// A recorded run, opened for reading only: a file of one's own, one that is being written at this moment, or somebody
// else's (hostile): the schema must be exactly ours, every blob is checked before it is used, and every limit of SQLite
// is set. Nothing is ever written to the folder, not even to repair it.
// Threads: one owner; several readers of one run are fine.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/run_rows.h"

namespace moescope::record {

class RunReader {
 public:
  /// `path` is a run's folder (or its run.db). Errors tell apart: no such folder, not a run, a run without its file
  /// (half copied), truncated, garbled, of a newer version (with both versions), and say what can still be read.
  static Result<std::unique_ptr<RunReader>> open(const std::string& path);
  ~RunReader();

  const std::string& folder() const;
  const RunFacts& facts() const;
  /// As the run told it before its first frame. A run that never came so far has an empty one (num_layers 0).
  const telemetry::RunInfo& info() const;
  /// A recorder holds the run at this moment.
  bool being_written() const;
  /// The same of a folder that is not opened.
  static bool being_written(const std::string& folder);
  std::int64_t last_step() const;  ///< newest recorded step; 0: none

  /// Frames of the steps first to last, rising, each with its events and with the probe, spaces and expert tokens that
  /// were recorded at its step. What cannot be read is left out and told by damages().
  std::vector<telemetry::FramePtr> frames(std::int64_t first, std::int64_t last);

  /// The journal in order; journal_problem() is empty or says where the hash chain breaks.
  std::vector<CommandRow> commands();
  std::string journal_problem() const;

  std::vector<EventRow> events();
  std::vector<GapRow> gaps();
  std::vector<StateHashRow> state_hashes();
  /// May more be added to this run? Error: its record is damaged, or its journal is not as it was written; the hint
  /// says what is possible instead. Looks over all of run.db (two seconds at most) and reads checkpoints: not on a
  /// thread that draws.
  Status can_go_on();

  /// Rising by step; only those whose file is there. Tainted ones too. Of a damaged record also those whose row is
  /// lost.
  std::vector<CheckpointRow> checkpoints();
  std::string checkpoint_path(const CheckpointRow& row) const;

  /// One sentence for every part that is damaged and was left out, as met so far.
  const std::vector<std::string>& damages() const;

 private:
  class Impl;
  explicit RunReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moescope::record
