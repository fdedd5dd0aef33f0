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

#include "app/workbench/journal_book.h"
#include "core/bus/channels.h"
#include "core/telemetry/history.h"
#include "core/train/trainer_thread.h"

namespace moescope::app {

/// Nothing more is trained.
inline bool has_ended(bus::RunState state) {
  return state == bus::RunState::kFailed || state == bus::RunState::kFinished;
}

/// What the bench needs of a trainer; tests bring a fake one.
class TrainerHandle {
 public:
  virtual ~TrainerHandle() = default;
  virtual void request_stop() = 0;
  virtual bool ended() const = 0;
};
using StartTrainer = std::function<std::unique_ptr<TrainerHandle>(train::RunRequest, std::shared_ptr<bus::Channels>)>;

struct LoadedRun;

class Workbench {
 public:
  /// The default starts a real TrainerThread.
  explicit Workbench(StartTrainer start_trainer = {});
  ~Workbench();

  /// Starts a run; one that still runs is asked to stop first and this one starts as soon as it has ended (pump()).
  /// With an origin that is on screen, history and journal stay when it goes on; a fork keeps what it takes over of the
  /// journal, and the run it left becomes a ghost.
  void start(train::RunRequest request);
  /// Shows a recorded run that nothing trains. `config` is the recorded one, if it can be read here.
  /// Requires: !active().
  void view(LoadedRun run, std::optional<config::RunConfig> config);
  /// The run on screen, read on: what was recorded of it since (LoadedRun::frames) comes behind what is shown.
  /// Requires: !active().
  void read_on(LoadedRun run);
  /// The run on screen cannot be read on: nobody is known to write to it any more.
  void no_longer_written();
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
  /// While a recorded run is only viewed: finished, at its last step.
  bus::RunStatus status() const;
  /// A recorded run is shown and nothing trains.
  bool viewing() const;
  /// The recorded run that is viewed or was gone on with; its history is empty (history() has it). nullptr: none.
  const LoadedRun* loaded() const;
  /// Steps of the shown run that have a checkpoint on disk, rising.
  const std::vector<std::int64_t>& checkpoints() const;
  /// Where the present run began, if not from nothing.
  const std::optional<train::Origin>& origin() const;
  /// Other runs to see this one against: parents of forks come by themselves. At most kMaxGhosts, the oldest go.
  const std::vector<telemetry::Ghost>& ghosts() const;
  void add_ghost(telemetry::Ghost ghost);
  void clear_ghosts();
  static constexpr std::size_t kMaxGhosts = 4;
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
