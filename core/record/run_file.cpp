#include "core/record/run_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "core/base/text.h"
#include "core/record/going_on.h"
#include "core/record/run_schema.h"

namespace moescope::record {
namespace {

constexpr std::size_t kMostSentences = 200;
constexpr std::chrono::milliseconds kLookOver{250};

enum class Kind { kAbsent, kPlain, kOther };

struct Found {
  Kind kind = Kind::kAbsent;
  std::int64_t bytes = 0;
};

Found look(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {S_ISREG(info.st_mode) ? Kind::kPlain : Kind::kOther, info.st_size};
}

Status check_marks(ReadOnlyDb& db) {
  const auto application = db.pragma("application_id");
  if (!application) return application.error();
  if (*application != kApplicationId)
    return error("is a SQLite file, but no run of MoEScope", "open the folder of a run");
  const auto version = db.pragma("user_version");
  if (!version) return version.error();
  if (*version > kSchemaVersion)
    return error("was written by a newer MoEScope: it has format " + std::to_string(*version) +
                     ", and this one reads up to format " + std::to_string(kSchemaVersion),
                 "open it with the newer MoEScope");
  if (*version < 1) return error("says it has format " + std::to_string(*version) + ", which no MoEScope wrote");
  return Done{};
}

/// "table t": what SQLite itself would write there.
bool is_named(const std::string& thing) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) >= ' '; };
  return std::all_of(thing.begin(), thing.end(), plain) && !thing.ends_with(' ') &&
         (thing.starts_with("table ") || thing.starts_with("index ") || thing.starts_with("view ") ||
          thing.starts_with("trigger "));
}

/// Exactly our tables, and of indices only those SQLite makes by itself for their keys.
Status check_schema(ReadOnlyDb& db) {
  std::map<std::string, std::string> wanted;
  for (const TableText& table : run_tables()) wanted[table.name] = table.sql;
  std::string foreign;
  std::size_t tables = 0;
  const auto row = [&](const DbRow& entry) {
    const std::string type = entry.text(0), name = entry.text(1), table = entry.text(2);
    const auto known = wanted.find(table);
    if (type == "table" && known != wanted.end() && name == table && entry.bytes(3) == known->second) {
      ++tables;
    } else if (type != "index" || known == wanted.end() || name != "sqlite_autoindex_" + table + "_1" ||
               !entry.bytes(3).empty()) {
      foreign = type + ' ' + name;
    }
    return foreign.empty();
  };
  const Status read = db.each("SELECT type, name, tbl_name, sql FROM sqlite_schema", {}, row);
  if (!read) return read.error();
  if (!foreign.empty() && !is_named(foreign)) return error("is damaged: its list of tables cannot be read");
  if (!foreign.empty())
    return error("holds what no run file holds (" + printable(foreign.substr(0, 80)) +
                 "), so it was made or changed by another program, or is damaged");
  if (tables != wanted.size()) return error("lacks a part that every run file has, so it is damaged");
  return Done{};
}

/// `damage`: what is wrong but leaves the rest readable.
Status check(ReadOnlyDb& db, std::string& damage) {
  Status marks = check_marks(db);
  if (const auto cut = marks ? std::nullopt : db.cut()) {
    db.accept_cut();
    marks = check_marks(db);
    damage = "is cut off: it has " + with_thousands(cut->bytes) + " of " + with_thousands(cut->wanted) + " bytes";
  }
  if (!marks) return marks;
  return check_schema(db);
}

/// Whether the index beside the WAL was made for it: the two random numbers that every start of a WAL draws stand in
/// both. A process killed between that start and its first commit leaves them apart, and SQLite would then wait ten
/// seconds for a writer to put it right.
bool index_fits(const std::string& path) {
  constexpr std::streamoff kInWal = 16, kInIndex = 32;
  std::array<char, 8> in_wal{}, in_index{};
  std::ifstream wal(path + "-wal", std::ios::binary), index(path + "-shm", std::ios::binary);
  wal.seekg(kInWal).read(in_wal.data(), in_wal.size());
  index.seekg(kInIndex).read(in_index.data(), in_index.size());
  return wal && index && in_wal == in_index;
}

}  // namespace

void Damages::add(std::string sentence) {
  if (sentences_.size() > kMostSentences) return;
  if (sentences_.size() == kMostSentences) sentence = "there is more damage than is listed here";
  if (std::find(sentences_.begin(), sentences_.end(), sentence) == sentences_.end())
    sentences_.push_back(std::move(sentence));
}

void Damages::add_stretch(const std::string& before, std::int64_t first, std::int64_t last, const std::string& behind) {
  constexpr std::size_t kMostCounted = 100'000;
  const auto [found, fresh] = stretches_.try_emplace(before);
  Stretches& one = found->second;
  if (one.met.size() >= kMostCounted || !one.met.insert(first).second) return;
  if (fresh) {
    const std::string from = std::to_string(first);
    one.first = last < first    ? "steps from " + from
                : last == first ? "step " + from
                                : "steps " + from + " to " + std::to_string(last);
    one.behind = behind;
    one.sentence = sentences_.size();
    return add(before + one.first + behind);
  }
  if (one.sentence >= sentences_.size()) return;
  const std::size_t more = one.met.size() - 1;
  sentences_[one.sentence] = before + one.first + " and " + with_thousands(static_cast<long long>(more)) +
                             (more == 1 ? " more stretch" : " more stretches") + one.behind;
}

bool is_being_written(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "lock").string();
  if (look(path).kind != Kind::kPlain) return false;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);  // and lets the lock go
  return held;
}

Result<DbAccess> access_of(const std::string& folder, const std::string& name, bool being_written) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  const Found wal = look(path + "-wal"), index = look(path + "-shm"), journal = look(path + "-journal");
  for (const Found& found : {look(path), wal, index, journal})
    if (found.kind == Kind::kOther) return error("is no plain file, or what stands beside it is none");
  if (being_written) return DbAccess::kShared;
  if (journal.bytes > 0) return DbAccess::kCopy;
  if (wal.bytes == 0) return DbAccess::kUntouched;
  return index.kind == Kind::kPlain && index_fits(path) ? DbAccess::kPrivateIndex : DbAccess::kCopy;
}

Result<RunFile> open_run_file(const std::string& folder, const std::string& name, DbAccess access, bool thorough,
                              Damages& damages) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  const auto with_hint = [&](Diagnostics problem) {
    if (problem.front().hint.empty()) problem.front().hint = what_is_left(folder);
    return problem;
  };
  if (look(path).bytes == 0) return error("is empty", what_is_left(folder));
  RunFile file{name, access, access, nullptr, false, {}};
  Status checked = Done{};
  // An index in shared memory that cannot be used (not readable, not by this SQLite) leaves the way over a copy.
  for (int attempt = 0; attempt < 2; ++attempt) {
    Result<std::unique_ptr<ReadOnlyDb>> db = ReadOnlyDb::open(path, file.access);
    checked = db ? check(**db, file.damage) : Status(db.error());
    if (checked) file.db = std::move(*db);
    if (checked || file.access != DbAccess::kPrivateIndex) break;
    file.access = DbAccess::kCopy;
  }
  if (!checked) return with_hint(checked.error());
  file.index_doubtful = file.db->cut().has_value();
  if (thorough && !file.index_doubtful)
    if (file.db->finds_damage(kLookOver)) {
      file.damage = kOutOfOrder;
      file.index_doubtful = true;
    }
  if (!file.damage.empty()) damages.add(name + ' ' + file.damage + "; what can be read is shown");
  return file;
}

}  // namespace moescope::record
