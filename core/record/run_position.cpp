#include "core/record/run_position.h"

#include <sstream>
#include <utility>

#include "core/bus/command_json.h"
#include "core/record/output_file.h"
#include "core/record/run_schema.h"

namespace moescope::record {

std::string RunPosition::before_text() const {
  return std::to_string(last_step) + ' ' + std::to_string(last_command) + ' ' + std::to_string(next_event) + ' ' +
         std::to_string(next_gap);
}

void RunPosition::start_file() {
  for (auto& [stream, builder] : streams) builder.close();
  newest_chunks.clear();
}

Result<RunPosition> RunPosition::read(RunDatabase& database) {
  RunPosition position;
  const auto damaged = [&](const std::string& what) { return about_file(database.path(), what + " is damaged"); };
  std::string before;
  auto problem = database.query(
      "SELECT value FROM meta WHERE key = ?",
      [&](sqlite3_stmt* row) {
        before = text_at(row, 0);
        return false;
      },
      std::string_view(kBeforeKey));
  if (problem) return std::move(problem->diagnostic);
  if (!before.empty()) {
    std::istringstream numbers(before);
    if (!(numbers >> position.last_step >> position.last_command >> position.next_event >> position.next_gap))
      return damaged("what it says of the files before it");
  }
  const auto raise = [&](const char* sql, std::int64_t& number, std::int64_t more) {
    if (problem) return;
    problem = database.query(sql, [&](sqlite3_stmt* row) {
      if (sqlite3_column_type(row, 0) != SQLITE_NULL)
        number = std::max<std::int64_t>(number, sqlite3_column_int64(row, 0) + more);
      return false;
    });
  };
  raise("SELECT max(last_step) FROM chunk WHERE stream = 'step'", position.last_step, 0);
  raise("SELECT max(number) FROM command", position.last_command, 0);
  raise("SELECT max(id) FROM event", position.next_event, 1);
  raise("SELECT max(id) FROM gap", position.next_gap, 1);
  raise("SELECT sum(length(data)) FROM chunk WHERE stream != 'step'", position.probe_bytes, 0);
  if (problem) return std::move(problem->diagnostic);

  bool whole = true;
  problem = database.query("SELECT number, apply_step, json, hash FROM command WHERE done IS NULL",
                           [&](sqlite3_stmt* statement) {
                             CommandRow row;
                             row.number = sqlite3_column_int64(statement, 0);
                             row.apply_step = sqlite3_column_int64(statement, 1);
                             auto command = bus::command_from_json(text_at(statement, 2));
                             row.hash = text_at(statement, 3);
                             whole = whole && command.has_value();
                             if (command) row.command = std::move(command).value();
                             position.unanswered.emplace(row.number, std::move(row));
                             return whole;
                           });
  if (problem) return std::move(problem->diagnostic);
  if (!whole) return damaged("a command of its journal");
  return position;
}

}  // namespace moescope::record
