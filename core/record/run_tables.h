#pragma once
// The plain rows of a run's files: description, journal, events, gaps, state hashes, checkpoints. Files hold the same
// keys after a failed sync, and the later file wins. Private to this room. Threads: pure but for the files.

#include <string>
#include <vector>

#include "core/record/run_file.h"
#include "core/record/run_rows.h"

namespace moescope::record {

/// Of the newest file whose description can be read.
Result<RunFacts> read_facts(std::vector<RunFile>& files);

/// Nothing was told yet: an empty one. Error: it is damaged.
Result<telemetry::RunInfo> read_info(std::vector<RunFile>& files);

struct Journal {
  std::vector<CommandRow> rows;  ///< rising by number, only those that can be read
  std::string problem;           ///< empty, or where it breaks, as a sentence
};
/// The hash chain is followed, and held against the state hashes, which each name the newest row of their time.
Journal read_journal(std::vector<RunFile>& files, Damages& damages);

std::vector<EventRow> read_events(std::vector<RunFile>& files, Damages& damages);
std::vector<GapRow> read_gaps(std::vector<RunFile>& files, Damages& damages);
std::vector<StateHashRow> read_state_hashes(std::vector<RunFile>& files, Damages& damages);

/// Rows with a file name that is one, and of a known kind.
std::vector<CheckpointRow> read_checkpoints(std::vector<RunFile>& files, Damages& damages);

}  // namespace moescope::record
