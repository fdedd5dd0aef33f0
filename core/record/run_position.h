#pragma once
// Where in a run its writer stands: what the next commit continues. Private to this room. Threads: a plain value.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/record/chunk_builder.h"
#include "core/record/run_database.h"
#include "core/record/run_rows.h"

namespace moescope::record {

struct RunPosition {
  std::int64_t last_step = 0;
  std::int64_t last_command = 0;
  std::int64_t next_event = 1;
  std::int64_t next_gap = 1;
  /// Logged and not answered: a later file needs the whole row again when the answer comes.
  std::map<std::int64_t, CommandRow> unanswered;
  std::map<std::string, ChunkBuilder> streams;
  /// Of each stream the newest row of the chunk table, which the next commit may replace.
  struct NewestChunk {
    std::int64_t first_step = 0;
    std::int64_t bytes = 0;
  };
  std::map<std::string, NewestChunk> newest_chunks;
  std::int64_t probe_bytes = 0;
  /// Of each stream the newest gap, which grows while the same goes on.
  struct OpenGap {
    std::int64_t id = 0;
    GapRow row;
  };
  std::map<std::string, OpenGap> open_gaps;

  /// For kBeforeKey.
  std::string before_text() const;

  /// Of the newest file of a run.
  static Result<RunPosition> read(RunDatabase& database);

  /// A new file begins new chunks. Gaps go on under their numbers, so that the later row replaces the earlier one.
  void start_file();
};

}  // namespace moescope::record
