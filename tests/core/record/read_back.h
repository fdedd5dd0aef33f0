#pragma once
// What a run file must hold after whatever happened to its writer: every step of test_frame() from 1 on, to the bit.

#include <sqlite3.h>

#include <string>

#include "core/record/run_reader.h"
#include "core/telemetry/frame_bytes.h"
#include "tests/core/record/recorded_run.h"

namespace moescope::record {

/// Empty, or the first thing that is wrong with the run: damage, a missing step, a step that differs.
inline std::string fault_of_run(const std::string& folder, std::int64_t least_last_step,
                                std::int64_t* last_step = nullptr) {
  const auto reader = RunReader::open(folder);
  if (!reader) return "cannot be opened: " + format(reader.error());
  RunReader& run = **reader;
  const std::int64_t last = run.last_step();
  if (last_step != nullptr) *last_step = last;
  if (last < least_last_step)
    return "step " + std::to_string(least_last_step) + " was acknowledged, the last recorded is " +
           std::to_string(last);
  const auto frames = run.frames(1, last);
  if (!run.damages().empty()) return run.damages().front();
  if (static_cast<std::int64_t>(frames.size()) != last)
    return std::to_string(frames.size()) + " frames of " + std::to_string(last);
  for (std::int64_t step = 1; step <= last; ++step) {
    const telemetry::TelemetryFrame& is = *frames[static_cast<std::size_t>(step - 1)];
    const telemetry::FramePtr was = test_frame(step);
    const std::string at = "step " + std::to_string(step);
    if (is.step != step) return at + " is not in its place";
    if (is.events.size() != was->events.size())
      return at + " has " + std::to_string(is.events.size()) + " events of " + std::to_string(was->events.size());
    if (is.spaces.size() != was->spaces.size())
      return at + " has " + std::to_string(is.spaces.size()) + " spaces of " + std::to_string(was->spaces.size());
    if (telemetry::frame_bytes(is) != telemetry::frame_bytes(*was)) return at + " differs";
  }
  if (!run.journal_problem().empty()) return run.journal_problem();
  return "";
}

/// What SQLite itself finds: "ok" when nothing.
inline std::string quick_check(const std::string& path) {
  sqlite3* database = nullptr;
  std::string text = "cannot be opened";
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database, "PRAGMA quick_check", -1, &statement, nullptr);
    if (sqlite3_step(statement) == SQLITE_ROW)
      text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    else
      text = sqlite3_errmsg(database);
    sqlite3_finalize(statement);
  }
  sqlite3_close(database);
  return text;
}

/// One number of a run file, read while nobody writes it.
inline std::int64_t number_in(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  std::int64_t number = -1;
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr);
    if (sqlite3_step(statement) == SQLITE_ROW) number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
  }
  sqlite3_close(database);
  return number;
}

}  // namespace moescope::record
