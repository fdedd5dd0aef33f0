#include "core/record/run_schema.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

namespace moescope::record {

const std::vector<TableText>& run_tables() {
  static const std::vector<TableText> tables = {
      // `kind` as checkpoint_kind_name() says.
      {"checkpoint",
       "CREATE TABLE checkpoint(file TEXT PRIMARY KEY, step INTEGER NOT NULL, bytes INTEGER NOT NULL, "
       "state_hash TEXT NOT NULL, commands INTEGER NOT NULL, kind TEXT NOT NULL) STRICT"},
      // `data`: zstd of `n` values of core/telemetry/frame_bytes.h one after another, `raw_bytes` before compression;
      // `xxh64`: XXH64 (seed 0) of `data` as it stands here, its 64 bits read as a signed number. The newest chunk of a
      // stream is replaced by each commit until it is closed.
      {"chunk",
       "CREATE TABLE chunk(id INTEGER PRIMARY KEY, stream TEXT NOT NULL, first_step INTEGER NOT NULL, "
       "last_step INTEGER NOT NULL, n INTEGER NOT NULL, raw_bytes INTEGER NOT NULL, xxh64 INTEGER NOT NULL, "
       "data BLOB NOT NULL, UNIQUE(stream, first_step)) STRICT"},
      // `json`: bus::to_json(); `done` (0, 1) and `text` are NULL until the command was answered.
      {"command",
       "CREATE TABLE command(number INTEGER PRIMARY KEY, apply_step INTEGER NOT NULL, json TEXT NOT NULL, "
       "hash TEXT NOT NULL, done INTEGER, text TEXT) STRICT"},
      // `frame_step`: the step of the frame that carried the event; NULL: it came outside a frame.
      {"event",
       "CREATE TABLE event(id INTEGER PRIMARY KEY, step INTEGER NOT NULL, frame_step INTEGER, "
       "wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, who TEXT NOT NULL) STRICT"},
      // Between the two steps `dropped` values of the stream are not in the file; a row grows while it goes on.
      {"gap",
       "CREATE TABLE gap(id INTEGER PRIMARY KEY, stream TEXT NOT NULL, first_step INTEGER NOT NULL, "
       "last_step INTEGER NOT NULL, dropped INTEGER NOT NULL, reason TEXT NOT NULL) STRICT"},
      {"meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT"},
      // `tensors`: see tensor_list.h.
      {"state_hash",
       "CREATE TABLE state_hash(step INTEGER PRIMARY KEY, hash TEXT NOT NULL, commands INTEGER NOT NULL, "
       "journal_hash TEXT NOT NULL, tensors BLOB NOT NULL) STRICT"},
  };
  return tables;
}

std::string run_file_name(int number) { return number == 1 ? "run.db" : "run." + std::to_string(number) + ".db"; }

std::vector<int> run_file_numbers(const std::string& folder) {
  std::vector<int> numbers;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    int number = name == run_file_name(1) ? 1 : 0;
    if (number == 0 && name.starts_with("run.") && name.ends_with(".db"))
      std::from_chars(name.data() + 4, name.data() + name.size(), number);
    if (number >= 1 && number <= kMostFiles && name == run_file_name(number)) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace moescope::record
