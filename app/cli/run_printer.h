#pragma once
// How a run appears to whoever started it: a progress line on a terminal, JSON lines on stdout otherwise.
// Threads: one owner.

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "app/cli/terminal.h"
#include "core/bus/command.h"
#include "core/bus/run_state.h"
#include "core/telemetry/frame.h"

namespace moescope::cli {

class RunPrinter {
 public:
  RunPrinter(bool json, std::string folder);

  struct Start {
    std::string name;
    std::string method;
    std::int64_t total_steps = 0;
    std::string parent;     ///< folder of the recorded run gone on from; empty: from nothing
    std::int64_t step = 0;  ///< where it is gone on from
  };
  /// The first line: where the run's files are.
  void announce(const Start& start);
  void run(std::shared_ptr<const telemetry::RunInfo> info);
  void frame(const telemetry::TelemetryFrame& frame);
  /// Only what was refused is told; what was done is an event of the next frame.
  void reply(const bus::Reply& reply);
  /// Long preparation and the trainer's state; call at each tick.
  void status(const bus::RunStatus& status);
  /// A line for the person, on stderr.
  void say(const std::string& text) { line_.say(text); }
  /// The last line: how it ended.
  void finish(const bus::RunStatus& status, bool was_interrupted, std::uint64_t frames_not_shown);

  /// Nobody reads stdout any more; `output_problem()` says why.
  bool output_failed() const { return !output_problem_.empty(); }
  const std::string& output_problem() const { return output_problem_; }

 private:
  using Clock = std::chrono::steady_clock;
  void print(const std::string& line);
  void tell_inexact(const bus::RunStatus& status);
  void show_progress(const telemetry::TelemetryFrame& frame);
  double steps_per_second(std::int64_t step);
  std::string summary(const bus::RunStatus& status, bool was_interrupted) const;

  bool json_;
  std::string folder_;
  StatusLine line_;
  std::shared_ptr<const telemetry::RunInfo> info_;
  Clock::time_point started_ = Clock::now();
  std::deque<std::pair<Clock::time_point, std::int64_t>> pace_;  ///< recent (time, step)
  std::string activity_;
  std::string inexact_;  ///< as told already
  double validation_nats_;
  std::string output_problem_;
};

}  // namespace moescope::cli
