#pragma once
// One run file as the recorder writes it: a single read-write connection in WAL mode with FULL sync (a rollback journal
// on network disks, where WAL's shared memory does not work). SQLite below 3.51.3 can corrupt a WAL when a second
// connection writes or checkpoints, so there is one, counted when it is opened, and it alone checkpoints, by hand.
// Private to this room. Threads: one owner.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/record/run_writer.h"
#include "core/record/sqlite_handle.h"

namespace moescope::record {

/// Why a statement or a commit failed, and what may be done about it.
struct FileProblem {
  Diagnostic diagnostic;
  /// The file may be damaged, or its newest pages lost (a failed sync): never write to it again. Otherwise (no space, a
  /// busy file) the same transaction may be tried again.
  bool broken = false;
};

class RunDatabase {
 public:
  /// A file with all tables and `meta` in place, made under another name and renamed: it is whole or absent.
  static Status make(const std::string& path, const std::map<std::string, std::string>& meta,
                     const WriterOptions& options);
  static Result<std::unique_ptr<RunDatabase>> open(const std::string& path, const WriterOptions& options);
  /// Empties the WAL into the file, unless abandon() was called.
  ~RunDatabase();
  RunDatabase(const RunDatabase&) = delete;
  RunDatabase& operator=(const RunDatabase&) = delete;

  /// Inside a transaction, one statement with its values. After the first problem nothing more is done, and commit()
  /// reports it.
  void begin();
  template <class... Values>
  void run(const char* sql, const Values&... values) {
    sqlite3_stmt* statement = prepared(sql);
    if (statement == nullptr) return;
    if (const int code = bind_all(statement, values...); code != SQLITE_OK) return note(code);
    step(statement);
  }
  /// Memory ran out between statements: commit() rolls back and says so, and the same transaction may be tried again.
  void out_of_memory() { note(SQLITE_NOMEM); }
  /// Rows that the newest run() changed.
  int changed() const { return sqlite3_changes(database_.get()); }
  /// Durable when it returns nothing; else rolled back.
  std::optional<FileProblem> commit();

  /// Each row of a query, until `row` returns false or there is an error, which is returned.
  template <class Row, class... Values>
  std::optional<FileProblem> query(const char* sql, Row&& row, const Values&... values) {
    code_ = SQLITE_OK;
    sqlite3_stmt* statement = prepared(sql);
    if (statement == nullptr) return problem();
    int code = bind_all(statement, values...);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    while (code == SQLITE_ROW && row(statement)) code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) note(code);
    sqlite3_reset(statement);
    return problem();
  }

  /// Moves the WAL into the file when it has grown. Errors: only of a kind after which the file is broken.
  std::optional<FileProblem> checkpoint_when_due();
  /// Nobody's old snapshot may keep the WAL growing: true once it is over the limit and a checkpoint could not help.
  bool wal_is_held() const { return wal_is_held_; }

  /// Its file is still the one under its name: not deleted, moved or replaced.
  bool in_place() const;
  /// Nothing is written to the file any more, not even by closing it.
  void abandon();

  const std::string& path() const { return path_; }

 private:
  RunDatabase(DatabaseHandle database, std::string path, const WriterOptions& options);
  std::optional<FileProblem> fill(const std::string& pragmas, const std::map<std::string, std::string>& meta,
                                  bool network_disk);
  Status set_up(const WriterOptions& options);
  std::optional<FileProblem> execute(const std::string& sql);
  sqlite3_stmt* prepared(const char* sql);
  void step(sqlite3_stmt* statement);
  void note(int code);
  std::optional<FileProblem> problem() const;
  void remember_place();
  void assert_only_writer() const;

  DatabaseHandle database_;
  std::string path_;
  std::int64_t wal_limit_bytes_;
  int checkpoint_pages_;
  std::map<const char*, StatementHandle> statements_;  // by the literal's address
  int code_ = SQLITE_OK;                               // the first problem of this transaction
  int system_error_ = 0;
  std::string message_;
  int wal_pages_ = 0;
  bool wal_is_held_ = false;
  bool abandoned_ = false;
  std::uint64_t device_ = 0, inode_ = 0;
};

}  // namespace moescope::record
