#include "core/record/run_writer.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "core/base/log.h"
#include "core/bus/command_json.h"
#include "core/record/output_file.h"
#include "core/record/run_database.h"
#include "core/record/run_facts.h"
#include "core/record/run_lock.h"
#include "core/record/run_position.h"
#include "core/record/run_reader.h"
#include "core/record/run_schema.h"
#include "core/record/tensor_list.h"
#include "core/telemetry/frame_bytes.h"

namespace moescope::record {
namespace {

std::int64_t system_ns() { return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

/// The rows of one batch as statements; what they continue is read from and left in `position`.
class BatchWriter {
 public:
  BatchWriter(RunDatabase& database, RunPosition& position, std::int64_t wall_ns)
      : database_(database), position_(position), wall_ns_(wall_ns) {}

  void write(const RunBatch& batch) {
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

  void add(const CommandRow& row) {
    MOESCOPE_ASSERT(row.number == position_.last_command + 1, "the journal has no gap");
    position_.last_command = row.number;
    put(row);
  }

  void put(const CommandRow& row) {
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

  void add(const EventRow& row) { add_event(row.step, std::nullopt, row.kind, row.text, row.who); }

 private:
  void add(const RunBatch::CommandResult& result) {
    const auto found = position_.unanswered.find(result.number);
    MOESCOPE_ASSERT(found != position_.unanswered.end(), "a command is answered once, after it was logged");
    CommandRow row = std::move(found->second);
    position_.unanswered.erase(found);
    row.result = result.result;
    put(row);
  }

  void add(const telemetry::TelemetryFrame& frame, const RunBatch& batch) {
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

  void add_droppable(const char* stream, std::int64_t step, const std::string& bytes) {
    if (!position_.streams[stream].add(step, bytes)) add(GapRow{stream, step, step, 1, "too large"});
  }

  void add_event(std::int64_t step, std::optional<std::int64_t> frame_step, const std::string& kind,
                 const std::string& text, const std::string& who) {
    database_.run("INSERT OR REPLACE INTO event VALUES(?, ?, ?, ?, ?, ?, ?)", position_.next_event++, step, frame_step,
                  wall_ns_, std::string_view(kind), std::string_view(text), std::string_view(who));
  }

  void add(const GapRow& row) {
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

  void add(const StateHashRow& row) {
    database_.run("INSERT OR REPLACE INTO state_hash VALUES(?, ?, ?, ?, ?)", row.step, std::string_view(row.hash),
                  row.commands, std::string_view(row.journal_hash), Blob{tensor_list_blob(row.tensors)});
  }

  void add(const CheckpointRow& row) {
    database_.run("INSERT OR REPLACE INTO checkpoint VALUES(?, ?, ?, ?, ?, ?)", std::string_view(row.file), row.step,
                  row.bytes, std::string_view(row.state_hash), row.commands,
                  std::string_view(checkpoint_kind_name(row.kind)));
  }

  void write_chunks(const std::string& stream, const std::vector<RawChunk>& chunks) {
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

  RunDatabase& database_;
  RunPosition& position_;
  std::int64_t wall_ns_;
};

}  // namespace

bool RunBatch::empty() const {
  return frames.empty() && commands.empty() && results.empty() && events.empty() && hashes.empty() &&
         checkpoints.empty() && forgotten_checkpoints.empty() && gaps.empty();
}

class RunWriter::Impl {
 public:
  Impl(RunLock lock, std::string path, const WriterOptions& options)
      : folder(std::move(path)), options_(options), lock_(std::move(lock)) {}

  Status make_first(const RunFacts& facts) {
    meta_[kFactsKey] = facts_json(facts);
    return open_file(1);
  }

  Status open_newest(int number) {
    Result<std::unique_ptr<RunDatabase>> database = RunDatabase::open(path_of(number), options_);
    if (!database) return database.error();
    number_ = number;
    database_ = std::move(database).value();
    if (auto problem = database_->query("SELECT key, value FROM meta", [&](sqlite3_stmt* row) {
          meta_.insert_or_assign(std::string(text_at(row, 0)), std::string(text_at(row, 1)));
          return true;
        }))
      return std::move(problem->diagnostic);
    Result<RunPosition> found = RunPosition::read(*database_);
    if (!found) return found.error();
    position = std::move(found).value();
    return Done{};
  }

  Status set_run_info(const telemetry::RunInfo& info) {
    if (meta_.contains(kRunInfoKey)) return Done{};
    std::string bytes = telemetry::run_info_bytes(info);
    Status written = in_transaction([&](RunDatabase& database, RunPosition&) {
      database.run("INSERT OR REPLACE INTO meta VALUES(?, ?)", std::string_view(kRunInfoKey), Blob{bytes});
    });
    if (written) meta_[kRunInfoKey] = std::move(bytes);
    return written;
  }

  Status commit(const RunBatch& batch) {
    if (batch.empty()) return Done{};
    return in_transaction(
        [&](RunDatabase& database, RunPosition& next) { BatchWriter(database, next, wall_ns()).write(batch); });
  }

  std::string folder;
  RunPosition position;

 private:
  /// All that `write` does to file and position, or nothing; in the next file when this one must not be used any more.
  template <class Write>
  Status in_transaction(const Write& write) {
    if (database_ && !database_->in_place())
      return about_file(folder, "the folder of this run has gone, or its file was replaced",
                        "put it back where it was, and recording goes on");
    if (database_ && database_->wal_is_held())
      leave_file("another program keeps an old state of " + run_file_name(number_) + " open", false);
    if (database_) {
      RunPosition next = position;
      std::optional<FileProblem> problem = transaction([&] { write(*database_, next); });
      if (!problem) {
        position = std::move(next);
        if (const auto later = database_->checkpoint_when_due()) leave_file(later->diagnostic.message, true);
        return Done{};
      }
      if (!problem->broken) return std::move(problem->diagnostic);
      leave_file(problem->diagnostic.message, true);
    }
    return in_next_file(write);
  }

  /// Durable when it returns nothing; else nothing of it is in the file, whether a statement failed or memory ran out.
  template <class Statements>
  std::optional<FileProblem> transaction(const Statements& statements) {
    database_->begin();
    try {
      statements();
    } catch (const std::bad_alloc&) {
      database_->out_of_memory();
    }
    return database_->commit();
  }

  template <class Write>
  Status in_next_file(const Write& write) {
    RunPosition next = position;
    next.start_file();
    meta_[kBeforeKey] = next.before_text();
    const int number = number_ + 1;
    if (Status opened = open_file(number); !opened) return opened;
    std::optional<FileProblem> problem = transaction([&] {
      BatchWriter rows(*database_, next, wall_ns());
      for (const auto& [_, row] : position.unanswered) rows.put(row);
      // First what may also stand in the file that was left: the same rows then have the same keys, and readers take
      // one.
      write(*database_, next);
      rows.add(EventRow{position.last_step, "disk", why_left_ + "; recording goes on in " + run_file_name(number)});
    });
    if (problem) {
      // Nothing in it was told to be durable, so that it may go, and its number is used again.
      database_->abandon();
      database_.reset();
      for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((path_of(number) + suffix).c_str());
      number_ = number - 1;
      return std::move(problem->diagnostic);
    }
    log::warning(why_left_ + "; recording goes on in " + path_of(number));
    position = std::move(next);
    return Done{};
  }

  Status open_file(int number) {
    if (number > kMostFiles)
      return about_file(folder, "this run has " + std::to_string(kMostFiles) + " files already", "use another disk");
    const std::string path = path_of(number);
    if (Status made = RunDatabase::make(path, meta_, options_); !made) return made;
    Result<std::unique_ptr<RunDatabase>> database = RunDatabase::open(path, options_);
    if (!database) {
      for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((path + suffix).c_str());
      return database.error();
    }
    number_ = number;
    database_ = std::move(database).value();
    return Done{};
  }

  void leave_file(const std::string& why, bool broken) {
    why_left_ = run_file_name(number_) + ' ' + why;
    if (!broken) why_left_ = why;
    if (broken) database_->abandon();
    database_.reset();
  }

  std::string path_of(int number) const { return folder + '/' + run_file_name(number); }
  std::int64_t wall_ns() const { return options_.wall_ns ? options_.wall_ns() : system_ns(); }

  WriterOptions options_;
  RunLock lock_;  // goes last, when the file is closed
  std::map<std::string, std::string> meta_;
  int number_ = 0;
  std::unique_ptr<RunDatabase> database_;  // null: the one before must not be used, and no new one could be made
  std::string why_left_;
};

RunWriter::RunWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunWriter::~RunWriter() = default;

Result<std::unique_ptr<RunWriter>> RunWriter::create(const std::string& folder, const RunFacts& facts,
                                                     const WriterOptions& options) {
  Result<RunLock> lock = RunLock::take(folder);
  if (!lock) return lock.error();
  if (!run_file_numbers(folder).empty())
    return about_file(folder, "a recorded run is already here", "name a new or empty folder for the run");
  auto impl = std::make_unique<Impl>(std::move(lock).value(), folder, options);
  if (const Status made = impl->make_first(facts); !made) {
    ::unlink((folder + "/lock").c_str());  // as it was before, so that the same call can be tried again
    return made.error();
  }
  return std::unique_ptr<RunWriter>(new RunWriter(std::move(impl)));
}

Result<std::unique_ptr<RunWriter>> RunWriter::reopen(const std::string& folder, const WriterOptions& options) {
  // The reader knows every way in which a run can be damaged or somebody else's; it is closed again before writing.
  {
    const auto readable = RunReader::open(folder);
    if (!readable) return readable.error();
    if (const Status possible = (*readable)->can_go_on(); !possible) return possible.error();
  }
  const std::vector<int> numbers = run_file_numbers(folder);
  MOESCOPE_ASSERT(!numbers.empty(), "what the reader opens has a file");
  Result<RunLock> lock = RunLock::take(folder);
  if (!lock) return lock.error();
  auto impl = std::make_unique<Impl>(std::move(lock).value(), folder, options);
  if (const Status opened = impl->open_newest(numbers.back()); !opened) return opened.error();
  return std::unique_ptr<RunWriter>(new RunWriter(std::move(impl)));
}

Status RunWriter::set_run_info(const telemetry::RunInfo& info) { return impl_->set_run_info(info); }
Status RunWriter::commit(const RunBatch& batch) { return impl_->commit(batch); }
std::int64_t RunWriter::last_step() const { return impl_->position.last_step; }
std::int64_t RunWriter::last_command() const { return impl_->position.last_command; }
std::int64_t RunWriter::probe_bytes() const { return impl_->position.probe_bytes; }
const std::string& RunWriter::folder() const { return impl_->folder; }

}  // namespace moescope::record
