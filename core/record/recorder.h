#pragma once
// Writes a run to its file on a thread of its own. Scalars, loads, commands, events, hashes and checkpoint rows are
// lossless: when the ring is full the caller waits, and an event says so. Probe snapshots, spaces and expert tokens are
// droppable, and what is dropped leaves a gap row. A commit at most every 250 ms or 64 steps, whatever comes first.
// When the disk is full the rows stay in memory, trouble() says so, and recording goes on by itself within two seconds
// after there is space again. While there is trouble nothing waits: the ring then grows beyond its size, and who adds
// frames looks at trouble() and pauses.
// Threads: every method is called from one thread (the trainer's); trouble() from any.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/record/run_rows.h"
#include "core/record/run_writer.h"

namespace moescope::record {

struct RecorderOptions {
  std::chrono::milliseconds commit_every{250};
  std::chrono::milliseconds retry_every{500};  ///< while there is trouble
  std::size_t commit_steps = 64;
  std::size_t ring_frames = 4096;
  std::int64_t probe_every = 1;  ///< every n-th probe snapshot is kept, with its spaces
  /// Of probes, spaces and expert tokens on disk. Beyond it every second of those that would be kept, beyond twice as
  /// much every fourth, and so on: a run of any length stays within a few budgets. 0: no limit.
  std::int64_t probe_budget_bytes = 256LL << 20;
};

class Recorder {
 public:
  explicit Recorder(std::unique_ptr<RunWriter> writer, RecorderOptions options = {});
  /// Writes what waits (not waiting for space on a full disk) and closes the file.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void add(const telemetry::FramePtr& frame);
  void add(RunBatch::CommandResult result);
  void add(EventRow event);
  void add(StateHashRow hash);
  void add(CheckpointRow checkpoint);
  void forget_checkpoint(std::string file);

  /// Log first, act second: returns once this row and all that was added before it are durable, or why they are not.
  /// It tries once, also while there is trouble. After an error the row is taken back, as if it had never been given
  /// (its number is free again); what was added before it stays and is tried again.
  Status log(const CommandRow& command);
  /// The same without a row.
  Status flush();

  /// What keeps rows from being written now; empty: nothing.
  std::string trouble() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moescope::record
