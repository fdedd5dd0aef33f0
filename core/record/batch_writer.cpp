#include "core/record/batch_writer.h"

#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/bus/command_json.h"
#include "core/record/run_schema.h"
#include "core/record/tensor_list.h"
#include "core/telemetry/frame_bytes.h"

namespace moescope::record {

void BatchWriter::write(const RunBatch& batch) {
  for (const CommandRow& command : batch.commands) add(command);
  for (const RunBatch::CommandResult& result : batch.results) add(result);
  for (const telemetry::FramePtr& frame : batch.frames) add(*frame, batch);
  for (const EventRow& event : batch.events) add(event);
  for (const GapRow& gap : batch.gaps) add(gap);
  for (const StateHashRow& hash : batch.hashes) add(hash);
  for (const CheckpointRow& checkpoint : batch.checkpoints) add(checkpoint);
  for (const std::string& file : batch.forgotten_checkpoints)
    database_.run("DELETE FROM checkpoint WHERE file = ?", std::string_view(file));
  for (auto& [stream, builder] : position_.streams) write_chunks(stream, builder.take_changed());
}

void BatchWriter::add(const CommandRow& row) {
  MOESCOPE_ASSERT(row.number == position_.last_command + 1, "the journal has no gap");
  position_.last_command = row.number;
  put(row);
}

void BatchWriter::put(const CommandRow& row) {
  std::optional<std::int64_t> done;
  std::optional<std::string_view> text;
  if (row.result) {
    done = row.result->done ? 1 : 0;
    text = row.result->text;
  }
  database_.run("INSERT OR REPLACE INTO command VALUES(?, ?, ?, ?, ?, ?)", row.number, row.apply_step,
                std::string_view(bus::to_json(row.command)), std::string_view(row.hash), done, text);
  if (!row.result) position_.unanswered[row.number] = row;
}

void BatchWriter::add(const EventRow& row) { add_event(row.step, std::nullopt, row.kind, row.text, row.who); }

void BatchWriter::add(const RunBatch::CommandResult& result) {
  const auto found = position_.unanswered.find(result.number);
  MOESCOPE_ASSERT(found != position_.unanswered.end(), "a command is answered once, after it was logged");
  CommandRow row = std::move(found->second);
  position_.unanswered.erase(found);
  row.result = result.result;
  put(row);
}

void BatchWriter::add(const telemetry::TelemetryFrame& frame, const RunBatch& batch) {
  MOESCOPE_ASSERT(frame.step > position_.last_step, "a recorded step is not recorded again");
  position_.last_step = frame.step;
  const bool fits = position_.streams[kStepStream].add(frame.step, telemetry::step_bytes(frame));
  MOESCOPE_ASSERT(fits, "scalars and loads of one step are far below the limit of a chunk");
  if (!batch.without_probe.contains(frame.step)) {
    if (frame.probe) add_droppable(kProbeStream, frame.step, telemetry::probe_bytes(*frame.probe));
    for (const auto& space : frame.spaces) add_droppable(kSpaceStream, frame.step, telemetry::space_bytes(*space));
  }
  if (!frame.expert_tokens.empty() && !batch.without_tokens.contains(frame.step))
    add_droppable(kTokensStream, frame.step, telemetry::tokens_bytes(frame.step, frame.expert_tokens));
  for (const telemetry::Event& event : frame.events)
    add_event(event.step, frame.step, event_kind_name(event.kind), event.text, event.who);
}

void BatchWriter::add_droppable(const char* stream, std::int64_t step, const std::string& bytes) {
  if (!position_.streams[stream].add(step, bytes)) add(GapRow{stream, step, step, 1, "too large"});
}

void BatchWriter::add_event(std::int64_t step, std::optional<std::int64_t> frame_step, const std::string& kind,
                            const std::string& text, const std::string& who) {
  database_.run("INSERT OR REPLACE INTO event VALUES(?, ?, ?, ?, ?, ?, ?)", position_.next_event++, step, frame_step,
                wall_ns_, std::string_view(kind), std::string_view(text), std::string_view(who));
}

void BatchWriter::add(const GapRow& row) {
  RunPosition::OpenGap& open = position_.open_gaps[row.stream];
  if (open.id == 0 || open.row.reason != row.reason) {
    open = {position_.next_gap++, row};
  } else {
    open.row.last_step = row.last_step;
    open.row.dropped += row.dropped;
  }
  const GapRow& gap = open.row;
  database_.run("INSERT OR REPLACE INTO gap VALUES(?, ?, ?, ?, ?, ?)", open.id, std::string_view(gap.stream),
                gap.first_step, gap.last_step, gap.dropped, std::string_view(gap.reason));
}

void BatchWriter::add(const StateHashRow& row) {
  database_.run("INSERT OR REPLACE INTO state_hash VALUES(?, ?, ?, ?, ?)", row.step, std::string_view(row.hash),
                row.commands, std::string_view(row.journal_hash), Blob{tensor_list_blob(row.tensors)});
}

void BatchWriter::add(const CheckpointRow& row) {
  database_.run("INSERT OR REPLACE INTO checkpoint VALUES(?, ?, ?, ?, ?, ?)", std::string_view(row.file), row.step,
                row.bytes, std::string_view(row.state_hash), row.commands,
                std::string_view(checkpoint_kind_name(row.kind)));
}

void BatchWriter::write_chunks(const std::string& stream, const std::vector<RawChunk>& chunks) {
  for (const RawChunk& chunk : chunks) {
    const std::string data = chunk_data(chunk);
    database_.run(
        "INSERT OR REPLACE INTO chunk(stream, first_step, last_step, n, raw_bytes, xxh64, data) "
        "VALUES(?, ?, ?, ?, ?, ?, ?)",
        std::string_view(stream), chunk.first_step, chunk.last_step, chunk.values,
        static_cast<std::int64_t>(chunk.raw.size()), chunk_hash(data), Blob{data});
    RunPosition::NewestChunk& newest = position_.newest_chunks[stream];
    const auto bytes = static_cast<std::int64_t>(data.size());
    const std::int64_t replaced = newest.first_step == chunk.first_step ? newest.bytes : 0;
    if (stream != kStepStream) position_.probe_bytes += bytes - replaced;
    newest = {chunk.first_step, bytes};
  }
}

}  // namespace moescope::record
