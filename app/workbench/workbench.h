#pragma once
// The bench the three programs share: it owns the running trainer and the queues, and turns what comes up into the
// history, the journal and a status that views and widgets read. No Qt, no ImGui, no torch in this header.
// Threads: one thread (UI or CLI) calls everything; pump() is called at each tick and never waits.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bus/channels.h"
#include "core/telemetry/history.h"
#include "core/train/trainer_thread.h"

namespace moescope::app {

/// One row of the journal: a command and its answer, or something that happened by itself.
struct JournalEntry {
  std::int64_t step = 0;
  std::string who;
  std::string what;
  std::string effect;  ///< the answer; later also "Δ task −0.04 after 50 steps"
  bool pending = false;
  bool refused = false;
  std::uint64_t seq = 0;
  std::optional<bus::Command> undo;  ///< the command that takes it back, when there is one
};

/// What the bench needs of a trainer; tests bring a fake one.
class TrainerHandle {
 public:
  virtual ~TrainerHandle() = default;
  virtual void request_stop() = 0;
  virtual bool ended() const = 0;
};
using StartTrainer = std::function<std::unique_ptr<TrainerHandle>(train::RunRequest, std::shared_ptr<bus::Channels>)>;

class Workbench {
 public:
  /// The default starts a real TrainerThread.
  explicit Workbench(StartTrainer start_trainer = {});
  ~Workbench();

  /// Starts a run; one that still runs is asked to stop first and this one starts as soon as it has ended (pump()).
  void start(train::RunRequest request);
  /// Asks the run to stop at its next step boundary.
  void stop();
  /// True while a trainer thread lives (also while stopping).
  bool active() const;

  /// Sends a command; nullopt when the queue is full or nothing runs (last_refusal() says which).
  std::optional<std::uint64_t> post(bus::Command command);
  const std::string& last_refusal() const;
  /// Takes back the newest command that can be taken back; false when there is none.
  bool undo();
  bool can_undo() const;

  /// Moves what arrived into history and journal. Returns true when anything changed.
  bool pump();

  const telemetry::History& history() const;
  const std::vector<JournalEntry>& journal() const;
  bus::RunStatus status() const;
  std::uint64_t dropped_frames() const;
  /// The newest routed sentence, or nullptr.
  const bus::SentenceResult* sentence() const;
  /// Live parameters as the trainer last confirmed them, by full key.
  const std::map<std::string, config::Value>& live_values() const;
  const config::RunConfig* config() const;  ///< of the current run; nullptr before the first

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace moescope::app
