#pragma once
// How a run lies in SQLite: the text of the tables, the numbers that mark our files, their names, and the limits that
// the writer keeps and the reader checks. Private to this room.
//
// A run is <folder>/run.db and, after a failed sync, run.2.db, run.3.db …: each has the same tables and stands alone
// (facts and run_info are repeated). A commit whose sync failed may stand in the old file and again in the new one,
// with the same keys, so readers merge by key, and the later file wins: chunk values by (stream, step), commands by
// number, events and gaps by id, checkpoints by file, state hashes by step. Threads: constants and pure functions.

#include <cstdint>
#include <string>
#include <vector>

namespace moescope::record {

inline constexpr std::int64_t kApplicationId = 0x4D6F4553;  ///< "MoES"
inline constexpr std::int64_t kSchemaVersion = 1;           ///< PRAGMA user_version
inline constexpr int kPageBytes = 8192;

/// A chunk is closed once it holds so many values or raw bytes, always between two steps: the values of one step (the
/// spaces of several layers) stay together.
inline constexpr std::int64_t kChunkValues = 64;
inline constexpr std::int64_t kChunkBytes = 1 << 20;
/// No chunk holds more, raw. Values of one step beyond it are dropped with a gap row (droppable streams only).
inline constexpr std::int64_t kMostChunkBytes = 32 << 20;
/// Raw bytes of the tensor list of one state hash.
inline constexpr std::int64_t kMostTensorListBytes = 8 << 20;
inline constexpr int kMostFiles = 99;  ///< run.db … run.99.db

/// Names in chunk.stream and gap.stream.
inline constexpr const char* kStepStream = "step";
inline constexpr const char* kProbeStream = "probe";
inline constexpr const char* kSpaceStream = "space";
inline constexpr const char* kTokensStream = "tokens";

/// Keys of meta: facts_json(), and telemetry::run_info_bytes() (absent until the run told it).
inline constexpr const char* kFactsKey = "facts";
inline constexpr const char* kRunInfoKey = "run_info";
/// In run.2.db and later: "last_step last_command next_event next_gap" of the files before, so that a writer needs the
/// newest file only. Commands that were not answered yet stand in the newer file too.
inline constexpr const char* kBeforeKey = "before";

/// One CREATE TABLE statement each, exactly as sqlite_schema keeps them, sorted by table name. There are no other
/// tables, indices (but SQLite's own for the UNIQUE and PRIMARY KEY here), views or triggers in a run file.
struct TableText {
  const char* name;
  const char* sql;
};
const std::vector<TableText>& run_tables();

/// "run.db" for 1, "run.2.db" for 2.
std::string run_file_name(int number);

/// The numbers of the run files in `folder`, rising; empty when there are none or the folder cannot be read.
std::vector<int> run_file_numbers(const std::string& folder);

}  // namespace moescope::record
