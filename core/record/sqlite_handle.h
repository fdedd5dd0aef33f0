#pragma once
// SQLite's handles with owners, and values bound by their C++ type. Private to this room.
// Threads: one owner.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace moescope::record {

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// A blob where a plain std::string_view is a text. What it views outlives the statement's step.
struct Blob {
  std::string_view bytes;
};

inline int bind_one(sqlite3_stmt* statement, int place, std::int64_t value) {
  return sqlite3_bind_int64(statement, place, value);
}
inline int bind_one(sqlite3_stmt* statement, int place, const std::optional<std::int64_t>& value) {
  return value ? sqlite3_bind_int64(statement, place, *value) : sqlite3_bind_null(statement, place);
}
inline int bind_one(sqlite3_stmt* statement, int place, std::string_view text) {
  return sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
inline int bind_one(sqlite3_stmt* statement, int place, const std::optional<std::string_view>& text) {
  return text ? bind_one(statement, place, *text) : sqlite3_bind_null(statement, place);
}
inline int bind_one(sqlite3_stmt* statement, int place, Blob blob) {
  return sqlite3_bind_blob64(statement, place, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
}

/// The first problem, or SQLITE_OK.
template <class... Values>
int bind_all([[maybe_unused]] sqlite3_stmt* statement, const Values&... values) {
  int place = 0, problem = SQLITE_OK;
  ((problem = problem == SQLITE_OK ? bind_one(statement, ++place, values) : problem), ...);
  return problem;
}

inline std::string_view text_at(sqlite3_stmt* statement, int column) {
  // The bytes are asked for after the text: SQLite converts first, then counts.
  const auto* text = sqlite3_column_blob(statement, column);
  const int size = sqlite3_column_bytes(statement, column);
  return text == nullptr ? std::string_view{}
                         : std::string_view(static_cast<const char*>(text), static_cast<std::size_t>(size));
}

}  // namespace moescope::record
