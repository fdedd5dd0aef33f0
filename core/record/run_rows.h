#pragma once
// What a run file (run.db) holds, as plain values. Layers count from 0 and experts from 0 here, as in frames.
// Threads: plain values.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bus/command.h"
#include "core/telemetry/frame.h"

namespace moescope::record {

/// Fixed when the file is made.
struct RunFacts {
  std::string id;  ///< 16 hex digits, drawn anew for every run
  std::string name;
  std::string method;
  std::string parent_id;      ///< of a fork; empty: a run of its own
  std::string parent_folder;  ///< where the parent lay then; it may have moved
  std::int64_t parent_step = 0;
  std::int64_t parent_commands = 0;    ///< of the parent's journal, how many were taken over
  std::vector<std::string> older_ids;  ///< of a fork of a fork: the parent's own ancestors, nearest first
  std::string config_toml;             ///< resolved
  /// What must be equal for equal bits ("torch" → "2.11.0", "cpu" → "AVX2", "threads" → "1" …).
  std::map<std::string, std::string> determinism;
  std::int64_t created_ns = 0;  ///< UTC, nanoseconds since 1970; for people only, nothing is computed from it

  /// Ids of the run it left, of the one that run had left, …
  std::vector<std::string> ancestors() const;
};

/// One command as it was logged, before it acted.
struct CommandRow {
  std::int64_t number = 0;      ///< in the journal, from 1 without a gap
  std::int64_t apply_step = 0;  ///< the step boundary it acts at: optimiser steps done
  bus::Command command;
  /// SHA-256, hex, of (hash of the row before, number, apply_step, command as JSON); see chain_hash().
  std::string hash;
  /// What became of it; nothing: the run ended between the log and the act (a resumed run acts then).
  struct Result {
    bool done = false;
    std::string text;
    bool operator==(const Result&) const = default;
  };
  std::optional<Result> result;
};
/// Of the row that follows one with hash `before` (empty for the first row).
std::string chain_hash(const std::string& before, std::int64_t number, std::int64_t apply_step,
                       const bus::Command& command);

enum class CheckpointKind {
  kRegular,  ///< at the configured spacing; old ones go
  kStage,    ///< just before a stage switch; stays
  kAsked,    ///< by a person; stays
  kStart,    ///< where a fork begins; stays
  kFinal,    ///< when the run stopped
  kTainted,  ///< taken when a step failed: for looking at, never resumed from
};
/// "regular", "stage", "asked", "start", "final", "tainted".
std::string checkpoint_kind_name(CheckpointKind kind);
std::optional<CheckpointKind> checkpoint_kind_from(std::string_view name);

struct CheckpointRow {
  std::int64_t step = 0;
  std::string file;  ///< name in checkpoints/
  std::int64_t bytes = 0;
  std::string state_hash;     ///< XXH3-128, hex, of all state that steers training
  std::int64_t commands = 0;  ///< journal rows that had acted
  CheckpointKind kind = CheckpointKind::kRegular;
};

struct TensorHash {
  std::string name;
  std::uint64_t hash = 0;  ///< XXH3-64 of its bytes
  bool operator==(const TensorHash&) const = default;
};

/// The state at a step boundary, before the commands of that boundary acted.
struct StateHashRow {
  std::int64_t step = 0;
  std::string hash;                 ///< XXH3-128, hex, over everything
  std::int64_t commands = 0;        ///< journal rows so far
  std::string journal_hash;         ///< hash of the newest of them: a journal cut at its end is seen
  std::vector<TensorHash> tensors;  ///< sorted by name
};

/// What happened outside frames: a failure, a full disk, a gap.
struct EventRow {
  std::int64_t step = 0;
  std::string kind;  ///< "stage_switch", "command", "probe_spacing", "notice", "failure", "disk", "inexact"
  std::string text;
  std::string who = "lab";
};

/// Of a run's events in their order the failure that ended it at `last_step` or behind it; nullptr: nothing failed, or
/// the run went on. Points into `events`.
const EventRow* failure_at_end(const std::vector<EventRow>& events, std::int64_t last_step);

/// The kind of a frame's event as the event table names it.
std::string event_kind_name(telemetry::Event::Kind kind);
std::optional<telemetry::Event::Kind> event_kind_from(std::string_view name);

/// Values of a droppable stream that are not in the file: between the two steps `dropped` are missing, not necessarily
/// all.
struct GapRow {
  std::string stream;  ///< "probe", "space", "tokens"
  std::int64_t first_step = 0, last_step = 0;
  std::int64_t dropped = 0;
  std::string reason;
};

}  // namespace moescope::record
