#pragma once
// A SQLite file from anywhere, opened so that reading it can do no harm: never written, every limit set, no code of its
// schema run, and no statement longer than two seconds. What is in it is checked by who reads. Private to this room.
// Threads: one owner.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace moescope::record {

/// How to open a file so that nothing in its folder changes.
enum class DbAccess {
  kUntouched,     ///< nobody writes and nothing waits beside it: its pages alone, no locks
  kShared,        ///< somebody writes at this moment: SQLite's locks and shared memory
  kPrivateIndex,  ///< left with a WAL by a writer that is gone: the WAL is read, its index is made in memory
  kCopy,          ///< only readable with files beside it that are not there yet: in a copy of its own
};

/// One row as a statement gives it; texts and blobs live until the next row.
class DbRow {
 public:
  explicit DbRow(sqlite3_stmt* statement) : statement_(statement) {}
  /// Nothing for NULL and for what is no integer.
  std::optional<std::int64_t> integer(int column) const;
  /// 0 for what is no integer: for columns the schema declares INTEGER NOT NULL.
  std::int64_t number(int column) const { return integer(column).value_or(0); }
  std::string_view bytes(int column) const;  ///< of a text or a blob
  std::string text(int column) const { return std::string(bytes(column)); }

 private:
  sqlite3_stmt* statement_;
};

class ReadOnlyDb {
 public:
  using Parameter = std::variant<std::int64_t, std::string>;

  /// Opens and sets the limits; nothing is read yet. Requires: `path` is a regular file.
  static Result<std::unique_ptr<ReadOnlyDb>> open(const std::string& path, DbAccess access);
  ~ReadOnlyDb();
  ReadOnlyDb(const ReadOnlyDb&) = delete;
  ReadOnlyDb& operator=(const ReadOnlyDb&) = delete;

  /// Calls `row` for each row until it returns false. The error is a half sentence: "is damaged: …".
  Status each(const char* sql, const std::vector<Parameter>& parameters, const std::function<bool(const DbRow&)>& row);
  Result<std::int64_t> pragma(const char* name);

  /// SQLite's own look over all pages and indices found something. Gives up silently after `budget`: what is read is
  /// checked anyway.
  bool finds_damage(std::chrono::milliseconds budget);

  /// By its header it should have more pages than it has: {bytes there, bytes there should be}. By SQLite's own handle,
  /// since closing another one would take the locks of every connection this process has to the file.
  struct Cut {
    std::int64_t bytes = 0, wanted = 0;
  };
  std::optional<Cut> cut() const;
  /// SQLite refuses a file that is cut; after this it reads what pages there are.
  void accept_cut();

 private:
  struct OwnCopy;
  explicit ReadOnlyDb(std::unique_ptr<OwnCopy> copy);
  Status configure();

  std::unique_ptr<OwnCopy> copy_;
  sqlite3* db_ = nullptr;
  std::int64_t deadline_ns_ = 0;  ///< of the statement that runs, by the steady clock
};

}  // namespace moescope::record
