#pragma once
// The training thread as everyone outside the torch rooms sees it. This header is free of torch.
// States: Idle (preparing) → Paused or Running → Stopping → Finished; Failed from anywhere. Transitions happen on the
// trainer thread only and are read through Channels::status.
// Threads: construct, request_stop(), ended() and destroy from one thread (UI or CLI).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bus/channels.h"
#include "core/config/run_config.h"

namespace moescope::corpus {
struct Corpus;
}

namespace moescope::train {

/// A recorded run to start from, at one of its step boundaries: the newest checkpoint at or before it is loaded, and
/// the steps from there are trained again with the commands of the journal, to the same bits.
struct Origin {
  enum class Use {
    kContinue,  ///< the same run goes on in its own folder
    kFork,      ///< a new run; the other is only read
  };
  static constexpr std::int64_t kNewest = -1;  ///< the last step recorded

  Use use = Use::kContinue;
  std::string folder;
  std::int64_t step = kNewest;
  /// How many rows of the journal are taken over; kNewest: those that act before `step`, or all with step = kNewest.
  std::int64_t commands = kNewest;
};

/// States of recent step boundaries in memory, newest last, shared by the runs of one window one after another: going
/// back then costs no training. Opaque: what it holds are tensors, which only trainers touch.
class SnapshotRing;
inline constexpr std::size_t kSnapshotRingBytes = std::size_t{256} << 20;
std::shared_ptr<SnapshotRing> make_snapshot_ring(std::size_t most_bytes = kSnapshotRingBytes);

/// A command that a script gives: it acts at exactly the boundary after `step` optimiser steps.
struct ScheduledCommand {
  std::int64_t step = 0;
  bus::Command command;
};

struct RunRequest {
  config::RunConfig config;
  std::string source_text;             ///< the configuration exactly as given, for config.source.toml
  std::string folder;                  ///< run folder to create, must be empty or absent; empty: nothing is written
  std::optional<Origin> origin;        ///< with Use::kContinue `folder` is the origin's; `config` is the recorded one
  std::shared_ptr<SnapshotRing> ring;  ///< null: none is kept
  /// Rising steps; each is journalled and answered like a command of the channel. Those at a step before the start are
  /// left out (they are in the journal), those at the start of a fork act right there.
  std::vector<ScheduledCommand> script;
  std::string cache_folder;   ///< corpora and tokenizers
  bool start_paused = false;  ///< waits at step 0 for kResume or kStep
  bool watched = true;        ///< false: no probe, no frames but every step's scalars and loads (headless)
  bool measured = false;      ///< with each validation also the geometry of every layer (telemetry::LayerMeasures)
  /// When the run folder cannot be written to (disk full): pause with a notice, kResume tries again. Where nobody can
  /// resume set false: the run then fails in phase "record". Lines not written yet are kept either way.
  bool pause_when_disk_full = true;
};

/// For tests only: a corpus made by hand, and a look at each phase (what it throws counts as thrown by the phase).
struct TrainerHooks {
  std::shared_ptr<const corpus::Corpus> corpus;
  std::function<void(std::string_view phase, std::int64_t step)> on_phase;
};

class TrainerThread {
 public:
  /// Starts the thread, which prepares the corpus and the model before its first state but Idle.
  TrainerThread(RunRequest request, std::shared_ptr<bus::Channels> channels, TrainerHooks hooks = {});
  /// Asks to stop and joins: at most one step and 100 ms. Never call it where that wait would be seen; poll ended().
  ~TrainerThread();
  TrainerThread(const TrainerThread&) = delete;
  TrainerThread& operator=(const TrainerThread&) = delete;

  /// Stop at the next step boundary; long preparations stop at their next check too.
  void request_stop();
  /// The thread is over and the destructor returns at once: after Failed, or after request_stop(). A finished run is
  /// not over: its trainer goes on answering kProbeSentence and kSaveWeights (everything else is refused) until it is
  /// asked to stop. Who does not need that watches Channels::status for Finished or Failed and destroys.
  bool ended() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

/// Process-wide settings that must precede any tensor: malloc thresholds, flush denormals, interop threads. Call first
/// in main.
void initialise_process();

}  // namespace moescope::train
