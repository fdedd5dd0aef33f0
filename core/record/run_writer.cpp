#include "core/record/run_writer.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "core/base/log.h"
#include "core/record/batch_writer.h"
#include "core/record/output_file.h"
#include "core/record/run_database.h"
#include "core/record/run_facts.h"
#include "core/record/run_lock.h"
#include "core/record/run_position.h"
#include "core/record/run_reader.h"
#include "core/record/run_schema.h"
#include "core/telemetry/frame_bytes.h"

namespace moescope::record {
namespace {

std::int64_t system_ns() { return std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

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
