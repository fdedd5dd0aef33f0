#pragma once
// A recorded run read into memory on a thread of its own, so that no window waits for a disk.
// Threads: construct, ask and destroy from one thread; reading happens on its own.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/record/run_rows.h"
#include "core/telemetry/history.h"

namespace moescope::app {

/// What is shown of a recorded run. A plain value.
struct LoadedRun {
  std::string folder;
  record::RunFacts facts;
  telemetry::History history;  ///< with the run's RunInfo, whose folder is where it lies now
  std::vector<record::CommandRow> commands;
  std::vector<record::EventRow> events;
  std::vector<std::int64_t> checkpoints;    ///< see record::steps_to_start_from()
  std::vector<telemetry::FramePtr> frames;  ///< of a run read on: those behind what was known; history has none then
  std::int64_t last_step = 0;
  bool being_written = false;
  std::vector<std::string> damages;  ///< one sentence for every part that is missing
  std::string obstacle;              ///< why it cannot be gone on with, and what can be done instead; empty: it can
};

/// What is asked of a record beside what it holds.
struct Reading {
  std::optional<std::int64_t> after = {};  ///< reads on: the frames behind that step, and the rest of it as it is now
  bool asks_if_it_goes_on = false;         ///< fills LoadedRun::obstacle, which may take two seconds
};

/// Reads all of it, in pieces; `progress` is told 0 to 1. Errors: as record::RunReader::open() says, or stopped.
Result<LoadedRun> load_run(const std::string& path, const std::function<void(double)>& progress,
                           const std::stop_token& stop, const Reading& reading = {});

class RunLoader {
 public:
  /// `path` is a run's folder or its run.db.
  explicit RunLoader(std::string path, const Reading& reading = {});

  const std::string& path() const { return path_; }
  /// It ends soon, without a run.
  void cancel() { thread_.request_stop(); }
  bool cancelled() const { return thread_.get_stop_token().stop_requested(); }
  /// The thread is over, and the destructor does not wait.
  bool ended() const { return ended_; }
  double progress() const { return progress_; }
  /// Requires: ended(), and called once.
  Result<LoadedRun> take() { return std::move(*result_); }

 private:
  std::string path_;
  std::optional<Result<LoadedRun>> result_;  ///< written before ended_ is set, read after
  std::atomic<double> progress_ = 0;
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  ///< last: it uses what stands above. Its destructor asks it to stop and joins
};

}  // namespace moescope::app
