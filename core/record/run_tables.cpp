#include "core/record/run_tables.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "core/base/text.h"
#include "core/bus/command_json.h"
#include "core/record/run_facts.h"
#include "core/record/run_schema.h"
#include "core/record/tensor_list.h"
#include "core/telemetry/frame_bytes.h"
#include "core/telemetry/frame_check.h"

namespace moescope::record {
namespace {

/// Every row of `sql` in every file, oldest first; `take` returns what is wrong with the row, as half a sentence.
/// Returns whether all of them could be reached.
template <class Take>
bool each_row(std::vector<RunFile>& files, const char* sql, const char* table, Damages& damages, Take take) {
  bool all = true;
  for (RunFile& file : files) {
    const Status read = file.db->each(sql, {}, [&](const DbRow& row) {
      if (const std::string why = take(row); !why.empty()) damages.add(file.name + ", its " + table + ": " + why);
      return true;
    });
    all = all && read;
    if (!read)
      damages.add(file.name + ": part of its " + table + " cannot be read: the file " + read.error().front().message);
  }
  return all;
}

template <class Row, class Key>
std::vector<Row> values_of(std::map<Key, Row>&& rows) {
  std::vector<Row> values;
  values.reserve(rows.size());
  for (auto& [key, row] : rows) values.push_back(std::move(row));
  return values;
}

/// The value of one key, newest file first, until `read` succeeds. Nothing: no file has it.
template <class Value, class Read>
std::optional<Result<Value>> newest_meta(std::vector<RunFile>& files, const char* key, Read read) {
  std::optional<Result<Value>> value;
  for (auto file = files.rbegin(); file != files.rend() && !(value && *value); ++file) {
    const Status found =
        file->db->each("SELECT value FROM meta WHERE key = ?1", {std::string(key)}, [&](const DbRow& row) {
          value.emplace(read(row.bytes(0)));
          return false;
        });
    if (!found && !value) value.emplace(found.error());
  }
  return value;
}

/// Where the chain of hashes breaks, from 1 without a gap. `unreadable`: the first row without a readable command, or
/// 0.
std::string chain_problem(const std::map<std::int64_t, CommandRow>& rows, std::int64_t unreadable) {
  std::string before;
  std::int64_t expected = 1;
  for (const auto& [number, row] : rows) {
    if (number != expected) break;
    if (row.hash != chain_hash(before, number, row.apply_step, row.command))
      return "the journal was changed or is damaged at command " + std::to_string(number);
    before = row.hash;
    ++expected;
  }
  const std::int64_t newest = std::max(unreadable, rows.empty() ? 0 : rows.rbegin()->first);
  if (expected > newest) return {};
  return "command " + std::to_string(expected) +
         (expected == unreadable ? " of the journal cannot be read" : " is missing in the journal");
}

/// A journal cut at its end keeps a whole chain; the state hashes know better.
std::string end_problem(std::vector<RunFile>& files, const std::map<std::int64_t, CommandRow>& rows) {
  std::string problem;
  Damages ignored;  // read_state_hashes() tells
  each_row(files, "SELECT step, commands, journal_hash FROM state_hash ORDER BY step", "list of state hashes", ignored,
           [&](const DbRow& row) -> std::string {
             const std::int64_t commands = row.number(1);
             const auto named = rows.find(commands);
             if (!problem.empty() || commands == 0 || (named != rows.end() && named->second.hash == row.bytes(2)))
               return {};
             problem = named == rows.end()
                           ? "the journal lacks command " + std::to_string(commands) + ", which was there at step " +
                                 std::to_string(row.number(0))
                           : "command " + std::to_string(commands) + " is not the one that was there at step " +
                                 std::to_string(row.number(0));
             return {};
           });
  return problem;
}

bool is_file_name(std::string_view name) {
  constexpr std::string_view kEnding = ".safetensors";
  return name.size() > kEnding.size() && name.size() <= 255 && name.ends_with(kEnding) && name.front() != '.' &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace

Result<RunFacts> read_facts(std::vector<RunFile>& files) {
  auto facts = newest_meta<RunFacts>(files, kFactsKey, facts_from_json);
  if (!facts) return error("lacks the run's description");
  return std::move(*facts);
}

Result<telemetry::RunInfo> read_info(std::vector<RunFile>& files) {
  const auto read = [](std::string_view bytes) -> Result<telemetry::RunInfo> {
    auto info = telemetry::read_run_info(bytes);
    if (!info) return info;
    if (!bytes.empty()) return error("there is something behind it");
    if (const std::string why = telemetry::misfit(*info); !why.empty()) return error(why);
    return info;
  };
  auto info = newest_meta<telemetry::RunInfo>(files, kRunInfoKey, read);
  if (!info) return telemetry::RunInfo{};
  return std::move(*info);
}

Journal read_journal(std::vector<RunFile>& files, Damages& damages) {
  std::map<std::int64_t, CommandRow> rows;
  std::int64_t unreadable = 0;
  const char* sql = "SELECT number, apply_step, json, hash, done, text FROM command ORDER BY number";
  const bool all = each_row(files, sql, "journal", damages, [&](const DbRow& row) -> std::string {
    const std::int64_t number = row.number(0);
    const auto command = bus::command_from_json(row.bytes(2));
    if (!command) {
      if (unreadable == 0 || number < unreadable) unreadable = number;
      return "command " + std::to_string(number) + " cannot be read: " + command.error().front().message;
    }
    CommandRow read{number, row.number(1), *command, row.text(3), std::nullopt};
    if (const auto done = row.integer(4)) read.result = {*done != 0, row.text(5)};
    // Its answer may have come before the file was left for another.
    if (const auto old = rows.find(number); old != rows.end() && !read.result) read.result = old->second.result;
    rows[number] = std::move(read);
    return {};
  });
  Journal journal;
  journal.problem = chain_problem(rows, unreadable);
  if (journal.problem.empty()) journal.problem = end_problem(files, rows);
  if (journal.problem.empty() && !all)
    journal.problem = "what follows command " + std::to_string(rows.size()) + " cannot be read";
  journal.rows = values_of(std::move(rows));
  return journal;
}

std::vector<EventRow> read_events(std::vector<RunFile>& files, Damages& damages) {
  std::map<std::int64_t, EventRow> rows;
  each_row(files, "SELECT id, step, kind, text, who FROM event ORDER BY id", "list of events", damages,
           [&](const DbRow& row) -> std::string {
             rows[row.number(0)] = {row.number(1), row.text(2), row.text(3), row.text(4)};
             return {};
           });
  return values_of(std::move(rows));
}

std::vector<GapRow> read_gaps(std::vector<RunFile>& files, Damages& damages) {
  std::map<std::int64_t, GapRow> rows;
  each_row(files, "SELECT id, stream, first_step, last_step, dropped, reason FROM gap ORDER BY id", "list of gaps",
           damages, [&](const DbRow& row) -> std::string {
             rows[row.number(0)] = {row.text(1), row.number(2), row.number(3), row.number(4), row.text(5)};
             return {};
           });
  return values_of(std::move(rows));
}

std::vector<StateHashRow> read_state_hashes(std::vector<RunFile>& files, Damages& damages) {
  std::map<std::int64_t, StateHashRow> rows;
  each_row(files, "SELECT step, hash, commands, journal_hash, tensors FROM state_hash ORDER BY step",
           "list of state hashes", damages, [&](const DbRow& row) -> std::string {
             StateHashRow read{row.number(0), row.text(1), row.number(2), row.text(3), {}};
             auto tensors = read_tensor_list(row.bytes(4));
             if (tensors) {
               read.tensors = std::move(*tensors);
             } else {
               damages.add_stretch("the tensors in the state hashes of ", read.step, read.step,
                                   " cannot be told apart");
             }
             rows[read.step] = std::move(read);
             return {};
           });
  return values_of(std::move(rows));
}

std::vector<CheckpointRow> read_checkpoints(std::vector<RunFile>& files, Damages& damages) {
  std::map<std::string, CheckpointRow> rows;
  each_row(files, "SELECT step, file, bytes, state_hash, commands, kind FROM checkpoint ORDER BY step",
           "list of checkpoints", damages, [&](const DbRow& row) -> std::string {
             const std::string file = row.text(1);
             if (!is_file_name(file)) return "'" + printable(file.substr(0, 80)) + "' is no name of a checkpoint";
             const auto kind = checkpoint_kind_from(row.bytes(5));
             if (!kind) return "'" + printable(file) + "' is of an unknown kind";
             rows[file] = {row.number(0), file, row.number(2), row.text(3), row.number(4), *kind};
             return {};
           });
  std::vector<CheckpointRow> rising = values_of(std::move(rows));
  std::stable_sort(rising.begin(), rising.end(),
                   [](const CheckpointRow& a, const CheckpointRow& b) { return a.step < b.step; });
  return rising;
}

}  // namespace moescope::record
