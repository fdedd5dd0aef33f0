#pragma once
// What a run leaves on disk while it goes on: its folder, its record, its checkpoints. A run without a folder writes
// nothing, and everything here succeeds.
// Threads: trainer thread only.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bus/command.h"
#include "core/record/checkpoint_files.h"
#include "core/record/recorder.h"
#include "core/record/run_folder.h"
#include "core/telemetry/frame.h"
#include "core/train/trainer_thread.h"

namespace moescope::train {

/// The request goes on with a recorded run in its own folder.
bool continues(const RunRequest& request);

class RunLog {
 public:
  /// Creates the run folder of the request, or takes up the one to be gone on with, if it names one. Throws when that
  /// cannot be.
  explicit RunLog(const RunRequest& request);
  ~RunLog();

  bool writes() const { return folder_ != nullptr; }

  /// A new run: makes its record. Throws when that cannot be.
  void begin(const record::RunFacts& facts, const telemetry::RunInfo& info);
  /// A new run that never came to its first step: nothing of it stays. Nothing is written afterwards.
  void discard();
  /// A run gone on with: its journal so far and its checkpoints. Removes what an interrupted write left.
  void go_on(std::vector<record::CommandRow> commands, std::vector<record::CheckpointRow> checkpoints);

  void add(telemetry::FramePtr frame);
  void add(record::EventRow event);
  void add(record::StateHashRow hash);

  /// Log first, act second. Returns why the command could not be made durable; it then has no number and must not act.
  std::string log(const bus::Command& command, std::int64_t step);
  /// What became of the command logged as `number`.
  void answer(std::int64_t number, bool done, const std::string& text);
  /// Rows in the journal, and the hash of the newest.
  std::int64_t commands() const { return commands_; }
  const std::string& journal_hash() const { return journal_hash_; }

  /// Writes a checkpoint in the background. `row` without file and bytes.
  void checkpoint(record::CheckpointRow row, record::Blocks blocks, std::map<std::string, std::string> metadata);
  /// Takes note of finished checkpoints and lets superfluous ones go. Returns what went wrong since the last call.
  std::string note_checkpoints(bool wait);
  /// record::steps_to_start_from() of those there are, once after each change of them.
  std::optional<std::vector<std::int64_t>> take_changed_checkpoints();

  /// What keeps the record from being written now; empty: nothing. flush() tries at once.
  std::string trouble() const;
  std::string flush();

  /// Where the weights go at the end; empty without a folder.
  std::string weights_path() const;

 private:
  void open_recorder(std::unique_ptr<record::RunWriter> writer);

  config::RecordConfig settings_;
  std::unique_ptr<record::RunFolder> folder_;
  std::unique_ptr<record::RunWriter> writer_;  ///< until the recorder takes it
  std::unique_ptr<record::Recorder> recorder_;
  std::unique_ptr<record::CheckpointWriter> checkpoint_writer_;
  std::vector<record::CheckpointRow> checkpoints_;  ///< on disk, rising by step
  bool checkpoints_changed_ = false;
  std::int64_t commands_ = 0;
  std::string journal_hash_;
};

}  // namespace moescope::train
