#include "core/record/read_only_db.h"

#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <utility>

#include "core/base/text.h"
#include "core/record/sqlite_handle.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kBudget{2000};
constexpr int kBusyMs = 1000;
constexpr int kInstructionsBetweenLooks = 1000;

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

/// Of SQLite's URI form, in which ? and # would begin something else.
std::string as_uri(const std::string& path, const char* parameters) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      uri += '%';
      uri += kDigits[static_cast<unsigned char>(c) >> 4U];
      uri += kDigits[static_cast<unsigned char>(c) & 15U];
    } else {
      uri += c;
    }
  }
  return uri + parameters;
}

Diagnostic failure(int code, sqlite3* db) {
  switch (code & 0xFF) {
    case SQLITE_CORRUPT: return error("is damaged: parts of it are not where they belong");
    case SQLITE_NOTADB: return error("is no SQLite file, or its beginning is damaged");
    case SQLITE_INTERRUPT: return error("is damaged, or too large: reading one part of it took over two seconds");
    case SQLITE_BUSY: return error("is locked by another program: try again");
    case SQLITE_CANTOPEN: return error("cannot be opened: is it readable?");
    case SQLITE_TOOBIG: return error("is damaged: a part of it is larger than any run writes");
    default: break;
  }
  return error("cannot be read: " + printable(db ? sqlite3_errmsg(db) : sqlite3_errstr(code)));
}

}  // namespace

std::optional<std::int64_t> DbRow::integer(int column) const {
  if (sqlite3_column_type(statement_, column) != SQLITE_INTEGER) return std::nullopt;
  return sqlite3_column_int64(statement_, column);
}

std::string_view DbRow::bytes(int column) const { return text_at(statement_, column); }

/// The file with what stands beside it, in a folder that goes with it.
struct ReadOnlyDb::OwnCopy {
  fs::path folder;
  ~OwnCopy() {
    std::error_code ignored;
    if (!folder.empty()) fs::remove_all(folder, ignored);
  }
  Status make(const fs::path& original) {
    std::error_code problem;
    std::string pattern = (fs::temp_directory_path(problem) / "moescope-run-XXXXXX").string();
    if (problem || !::mkdtemp(pattern.data())) return error("needs a copy to be read, which cannot be made");
    folder = pattern;
    for (const char* suffix : {"", "-wal", "-journal"}) {
      const fs::path from = original.string() + suffix;
      if (!fs::exists(from, problem)) continue;
      fs::copy_file(from, file() + suffix, problem);
      if (problem) return error("needs a copy to be read, which cannot be made: " + problem.message());
    }
    return Done{};
  }
  std::string file() const { return (folder / "run.db").string(); }
};

ReadOnlyDb::ReadOnlyDb(std::unique_ptr<OwnCopy> copy) : copy_(std::move(copy)) {}

ReadOnlyDb::~ReadOnlyDb() { sqlite3_close(db_); }

Result<std::unique_ptr<ReadOnlyDb>> ReadOnlyDb::open(const std::string& path, DbAccess access) {
  auto copy = access == DbAccess::kCopy ? std::make_unique<OwnCopy>() : nullptr;
  if (copy)
    if (Status made = copy->make(path); !made) return made.error();
  std::unique_ptr<ReadOnlyDb> self(new ReadOnlyDb(std::move(copy)));
  std::string uri;
  switch (access) {
    case DbAccess::kUntouched: uri = as_uri(path, "?mode=ro&immutable=1"); break;
    case DbAccess::kShared: uri = as_uri(path, "?mode=ro"); break;
    case DbAccess::kPrivateIndex: uri = as_uri(path, "?mode=ro&readonly_shm=1"); break;
    case DbAccess::kCopy: uri = as_uri(self->copy_->file(), "?mode=rw"); break;
  }
  const int mode = access == DbAccess::kCopy ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(uri.c_str(), &self->db_, mode | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) return failure(code, self->db_);
  if (Status configured = self->configure(); !configured) return configured.error();
  return self;
}

Status ReadOnlyDb::configure() {
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_timeout(db_, kBusyMs);
  for (const auto& [option, value] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                      {SQLITE_DBCONFIG_DQS_DDL, 0},
                                      {SQLITE_DBCONFIG_DQS_DML, 0}})
    sqlite3_db_config(db_, option, value, nullptr);
  for (const auto& [limit, value] : {std::pair{SQLITE_LIMIT_LENGTH, 64 << 20},
                                     {SQLITE_LIMIT_SQL_LENGTH, 10'000},
                                     {SQLITE_LIMIT_COLUMN, 64},
                                     {SQLITE_LIMIT_EXPR_DEPTH, 10},
                                     {SQLITE_LIMIT_COMPOUND_SELECT, 2},
                                     {SQLITE_LIMIT_VDBE_OP, 25'000},
                                     {SQLITE_LIMIT_FUNCTION_ARG, 8},
                                     {SQLITE_LIMIT_ATTACHED, 0},
                                     {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 10},
                                     {SQLITE_LIMIT_VARIABLE_NUMBER, 8},
                                     {SQLITE_LIMIT_TRIGGER_DEPTH, 0},
                                     {SQLITE_LIMIT_WORKER_THREADS, 0}})
    sqlite3_limit(db_, limit, value);
  sqlite3_progress_handler(
      db_, kInstructionsBetweenLooks,
      [](void* self) { return now_ns() > static_cast<const ReadOnlyDb*>(self)->deadline_ns_ ? 1 : 0; }, this);
  for (const char* pragma : {"PRAGMA query_only=1", "PRAGMA cell_size_check=1", "PRAGMA mmap_size=0"})
    if (Status set = each(pragma, {}, [](const DbRow&) { return true; }); !set) return set;
  return Done{};
}

Status ReadOnlyDb::each(const char* sql, const std::vector<Parameter>& parameters,
                        const std::function<bool(const DbRow&)>& row) {
  deadline_ns_ = now_ns() + kBudget / std::chrono::nanoseconds(1);
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(db_, sql, -1, &raw, nullptr);
  const StatementHandle statement(raw);
  if (code != SQLITE_OK) return failure(code, db_);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int place = static_cast<int>(i) + 1;
    if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
      sqlite3_bind_int64(raw, place, *number);
    } else {
      const auto& text = std::get<std::string>(parameters[i]);
      sqlite3_bind_text(raw, place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    }
  }
  while ((code = sqlite3_step(raw)) == SQLITE_ROW)
    if (!row(DbRow(raw))) return Done{};
  if (code != SQLITE_DONE) return failure(code, db_);
  return Done{};
}

Result<std::int64_t> ReadOnlyDb::pragma(const char* name) {
  std::int64_t value = 0;
  const Status status = each((std::string("PRAGMA ") + name).c_str(), {}, [&](const DbRow& row) {
    value = row.number(0);
    return false;
  });
  if (!status) return status.error();
  return value;
}

bool ReadOnlyDb::finds_damage(std::chrono::milliseconds budget) {
  // By hand and not by each(): its own budget, and running out of it says nothing. Where the damage lies is told in
  // numbers of pages and cells, which help nobody.
  deadline_ns_ = now_ns() + budget / std::chrono::nanoseconds(1);
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(db_, "PRAGMA integrity_check(1)", -1, &raw, nullptr);
  const StatementHandle statement(raw);
  if (code == SQLITE_OK) code = sqlite3_step(raw);
  return (code == SQLITE_ROW && text_at(raw, 0) != "ok") || (code & 0xFF) == SQLITE_CORRUPT;
}

std::optional<ReadOnlyDb::Cut> ReadOnlyDb::cut() const {
  sqlite3_file* file = nullptr;
  std::array<unsigned char, 32> header{};
  sqlite3_int64 size = 0;
  if (sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods)
    return std::nullopt;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) return std::nullopt;
  if (size < static_cast<sqlite3_int64>(header.size())) return std::nullopt;
  if (file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0) != SQLITE_OK) return std::nullopt;
  if (std::string_view(reinterpret_cast<const char*>(header.data()), 15) != "SQLite format 3") return std::nullopt;
  const std::int64_t page = header[16] << 8U | header[17];  // 1 stands for 65536
  std::int64_t pages = 0;
  for (std::size_t i = 28; i < 32; ++i) pages = pages << 8 | header[i];
  const std::int64_t wanted = pages * (page == 1 ? 65536 : page);
  if (size >= wanted) return std::nullopt;
  return Cut{size, wanted};
}

void ReadOnlyDb::accept_cut() {
  // Only a connection whose schema may be edited reads on; this one can write nothing, so that is harmless.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, nullptr);
}

}  // namespace moescope::record
