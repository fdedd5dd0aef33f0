#pragma once
// The journal as a list on screen: what was sent, what came back, what it did to the loss, what can be taken back.
// Threads: one owner.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/bus/command.h"
#include "core/bus/run_state.h"
#include "core/telemetry/history.h"

namespace moescope::app {

/// One row of the journal: a command and its answer, or something that happened by itself.
struct JournalEntry {
  std::int64_t step = 0;
  std::string who;
  std::string what;
  std::string effect;  ///< the answer; later also "Δ task −0.04 after 50 steps"
  bool pending = false;
  bool refused = false;
  bool failure = false;                 ///< the run failed there; what it ran into is the effect
  std::uint64_t seq = 0;                ///< of a command of the present trainer; 0: it was another's
  std::int64_t number = 0;              ///< its row in the journal of the run file; 0: it has none, or no answer yet
  std::string folder;                   ///< of the run whose journal that is: a fork begins with its parent's rows
  std::optional<bus::Command> command;  ///< nothing: it happened by itself
  std::optional<bus::Command> undo;     ///< the command that takes it back, when there is one
};

class JournalBook {
 public:
  std::vector<JournalEntry> entries;

  /// A command that was queued, at that step and stage.
  void posted(const bus::Command& command, std::int64_t step, int stage, bool takes_back);
  /// Its answer, by the run in `folder`.
  void answered(const bus::Reply& reply, const std::string& folder);
  /// What happened by itself; commands are told by their answers.
  void noted(const telemetry::Event& event, const std::string& folder);
  void failed(const bus::Failure& failure);
  /// Effects on the loss that are known by now; false: none came.
  bool add_effects(const telemetry::History& history);

  /// The newest entry that can be taken back, or nullptr.
  const JournalEntry* undoable() const;
  /// The entry of that command is being taken back and cannot be once more.
  void undone(std::uint64_t seq);

  /// The trainer is over: nothing waits any longer, nothing can be taken back.
  void ended();
  /// Another trainer begins; its commands are numbered from the returned value on, above all that stand here.
  std::uint64_t begin(std::uint64_t next_seq);

 private:
  JournalEntry* find(std::uint64_t seq);

  std::map<std::uint64_t, int> stage_at_post_;
  std::vector<std::uint64_t> undoing_;
  std::vector<std::pair<std::uint64_t, std::int64_t>> awaiting_effect_;  ///< (seq, step) of commands that took effect
};

}  // namespace moescope::app
