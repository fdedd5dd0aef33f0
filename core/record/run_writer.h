#pragma once
// The one read-write connection to a run.db. SQLite in WAL mode with FULL sync; exactly one writer per file, held by a
// lock on <folder>/lock; nobody else checkpoints the WAL (SQLite 3.40 has a bug that needs a second one: see
// ARCHITECTURE.md). No thread of its own: recorder.h has that.
// Threads: one owner.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/run_rows.h"

namespace moescope::record {

/// Written in one transaction: all of it or nothing.
struct RunBatch {
  std::vector<telemetry::FramePtr> frames;  ///< rising steps, behind everything written before
  /// Steps of `frames` whose probe and spaces, or whose expert tokens, are left out; `gaps` says so.
  std::set<std::int64_t> without_probe, without_tokens;
  std::vector<CommandRow> commands;  ///< their results may be absent
  struct CommandResult {
    std::int64_t number = 0;
    CommandRow::Result result;
  };
  std::vector<CommandResult> results;
  std::vector<EventRow> events;
  std::vector<StateHashRow> hashes;
  std::vector<CheckpointRow> checkpoints;
  std::vector<std::string> forgotten_checkpoints;  ///< files that go, or have gone
  std::vector<GapRow> gaps;
  bool empty() const;
};

/// All but the default are for tests.
struct WriterOptions {
  std::string vfs;                   ///< name of a SQLite VFS; empty: the system's
  std::optional<bool> network_disk;  ///< nothing: asked of the system
  std::int64_t wal_limit_bytes = 64LL << 20;
  int checkpoint_pages = 1000;            ///< the WAL is moved into the file once it has so many
  std::function<std::int64_t()> wall_ns;  ///< UTC, nanoseconds since 1970; null: the system's clock
};

class RunWriter {
 public:
  /// Makes <folder>/run.db and takes the lock. The folder exists. Errors: locked by another recorder, cannot be
  /// written.
  static Result<std::unique_ptr<RunWriter>> create(const std::string& folder, const RunFacts& facts,
                                                   const WriterOptions& options = {});
  /// To go on with a recorded run. Errors: as RunReader::open() says, and locked by another recorder.
  static Result<std::unique_ptr<RunWriter>> reopen(const std::string& folder, const WriterOptions& options = {});
  ~RunWriter();  ///< truncates the WAL and lets the lock go

  /// Once, before the first frame (a resumed run keeps the old one).
  Status set_run_info(const telemetry::RunInfo& info);

  /// Durable when it returns without an error. After an error nothing of the batch is in the run and the caller keeps
  /// it; the same call may be tried again at any time (no space, a folder that has gone). After a failed sync that
  /// file is never written again: the batch goes to run.<n>.db, with an event, before this returns.
  /// Requires: steps and command numbers follow those of before.
  Status commit(const RunBatch& batch);

  std::int64_t last_step() const;     ///< newest step in the run; 0: none
  std::int64_t last_command() const;  ///< newest number in the journal; 0: none
  std::int64_t probe_bytes() const;   ///< that probes, spaces and expert tokens take on disk
  const std::string& folder() const;

 private:
  class Impl;
  explicit RunWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moescope::record
