// A run file from anywhere. Random bytes rarely get past SQLite's own checks, so the mutator also edits a valid file as
// SQL and lets libFuzzer flip what is in its pages.

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>

#include "core/record/chunk_builder.h"
#include "core/record/run_reader.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;

namespace {

/// One folder in memory for the whole process.
const std::string& folder() {
  static const std::string& path = *[] {
    const bool in_memory = std::filesystem::exists("/dev/shm");
    auto* pattern = new std::string(in_memory ? "/dev/shm/moescope-fuzz-XXXXXX" : "fuzz-run-XXXXXX");
    fuzz::require(::mkdtemp(pattern->data()) != nullptr, "a folder can be made");
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(folder(), ignored);
    });
    return pattern;  // never freed: atexit needs it
  }();
  return path;
}

void put(std::string_view bytes) {
  std::ofstream(folder() + "/run.db", std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// The chunk table's checksums made to fit again, so that what is behind them is reached too.
void hash_again(sqlite3_context* context, int, sqlite3_value** values) {
  const std::string_view data(static_cast<const char*>(sqlite3_value_blob(values[0])),
                              static_cast<std::size_t>(sqlite3_value_bytes(values[0])));
  sqlite3_result_int64(context, record::chunk_hash(data));
}

/// Edits that keep the file one of SQLite's.
constexpr const char* kEdits[] = {
    "UPDATE chunk SET first_step = first_step + abs(random() % 200) - 100 WHERE id = ?1",
    "UPDATE chunk SET last_step = random() WHERE id = ?1",
    "UPDATE chunk SET n = abs(random() % 100) WHERE id = ?1",
    "UPDATE chunk SET raw_bytes = random() WHERE id = ?1",
    "UPDATE chunk SET stream = (SELECT stream FROM chunk ORDER BY random() LIMIT 1) WHERE id = ?1",
    "UPDATE chunk SET data = substr(data, 1, abs(random() % 500)) || randomblob(8) || substr(data, 500) WHERE id = ?1",
    "UPDATE chunk SET data = (SELECT data FROM chunk ORDER BY random() LIMIT 1) WHERE id = ?1",
    "UPDATE command SET apply_step = random() WHERE number = ?1",
    "UPDATE command SET number = random() WHERE number = ?1",
    "UPDATE command SET json = substr(json, 1, abs(random() % 60)) WHERE number = ?1",
    "UPDATE event SET frame_step = random(), kind = hex(randomblob(3)) WHERE id = ?1",
    "UPDATE gap SET first_step = random(), dropped = random() WHERE id = ?1",
    "UPDATE meta SET value = substr(value, 1, abs(random() % 900)) || randomblob(3) || substr(value, 900)",
    "UPDATE meta SET key = hex(randomblob(2)) WHERE key = 'run_info'",
    "UPDATE state_hash SET tensors = randomblob(30), commands = random()",
    "UPDATE checkpoint SET file = hex(randomblob(400)) || '.safetensors', step = random()",
    "INSERT INTO chunk SELECT NULL, stream, -id, last_step, n, raw_bytes, xxh64, data FROM chunk",
    "DELETE FROM chunk WHERE id = ?1",
};

void edit(std::minstd_rand& random) {
  sqlite3* db = nullptr;
  if (sqlite3_open((folder() + "/run.db").c_str(), &db) == SQLITE_OK) {
    sqlite3_create_function(db, "hash_again", 1, SQLITE_UTF8, nullptr, hash_again, nullptr, nullptr);
    sqlite3_exec(db, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db, kEdits[random() % std::size(kEdits)], -1, &statement, nullptr) == SQLITE_OK) {
      sqlite3_bind_int64(statement, 1, static_cast<std::int64_t>(1 + random() % 12));
      sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    if (random() % 4 != 0) sqlite3_exec(db, "UPDATE chunk SET xxh64 = hash_again(data)", nullptr, nullptr, nullptr);
  }
  sqlite3_close(db);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned int seed) {
  std::minstd_rand random(seed + 1);
  if (random() % 3 == 0) return LLVMFuzzerMutate(data, size, most);
  if (random() % 2 == 0 && size > 100) {
    // A few bytes in the first half of a page, where its cells are told.
    for (unsigned i = 1 + static_cast<unsigned>(random() % 4); i > 0; --i) {
      const std::size_t page = random() % (size / 8192 + 1) * 8192;
      const std::size_t at = page + random() % (random() % 2 == 0 ? 64 : 8192);
      if (at < size) data[at] = static_cast<std::uint8_t>(random());
    }
    return size;
  }
  put(fuzz::text_of(data, size));
  edit(random);
  std::ifstream file(folder() + "/run.db", std::ios::binary);
  const std::string edited{std::istreambuf_iterator<char>(file), {}};
  if (edited.empty() || edited.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(edited.begin(), edited.end(), data);
  return edited.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  put(fuzz::text_of(data, size));
  const auto opened = record::RunReader::open(folder());
  if (!opened) {
    fuzz::require(!opened.error().front().message.empty(), "an error says something");
    return 0;
  }
  record::RunReader& reader = **opened;
  std::int64_t before = -1;
  for (const auto& frame : reader.frames(0, std::numeric_limits<std::int64_t>::max())) {
    fuzz::require(frame->step > before, "steps rise");
    before = frame->step;
  }
  reader.commands();
  reader.journal_problem();
  reader.events();
  reader.gaps();
  reader.state_hashes();
  reader.checkpoints();
  reader.last_step();
  if (const Status possible = reader.can_go_on(); !possible)
    fuzz::require(!possible.error().front().message.empty(), "an obstacle says something");
  fuzz::require(!std::filesystem::exists(folder() + "/run.db-shm"), "nothing is written to the folder");
  return 0;
}
