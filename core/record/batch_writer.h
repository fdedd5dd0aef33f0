#pragma once
// The rows of one batch as statements of an open transaction. Private to this room. Threads: the writer's.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/record/run_database.h"
#include "core/record/run_position.h"

namespace moescope::record {

/// What the rows continue is read from and left in `position`.
class BatchWriter {
 public:
  BatchWriter(RunDatabase& database, RunPosition& position, std::int64_t wall_ns)
      : database_(database), position_(position), wall_ns_(wall_ns) {}

  void write(const RunBatch& batch);
  /// The next row of the journal.
  void add(const CommandRow& row);
  /// A row of the journal as it is now.
  void put(const CommandRow& row);
  void add(const EventRow& row);

 private:
  void add(const RunBatch::CommandResult& result);
  void add(const telemetry::TelemetryFrame& frame, const RunBatch& batch);
  void add_droppable(const char* stream, std::int64_t step, const std::string& bytes);
  void add_event(std::int64_t step, std::optional<std::int64_t> frame_step, const std::string& kind,
                 const std::string& text, const std::string& who);
  void add(const GapRow& row);
  void add(const StateHashRow& row);
  void add(const CheckpointRow& row);
  void write_chunks(const std::string& stream, const std::vector<RawChunk>& chunks);

  RunDatabase& database_;
  RunPosition& position_;
  std::int64_t wall_ns_;
};

}  // namespace moescope::record
