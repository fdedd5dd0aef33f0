#include "core/record/run_database.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>

#include "core/base/log.h"
#include "core/record/output_file.h"
#include "core/record/run_schema.h"
#include "core/record/sqlite_failure.h"

namespace moescope::record {
namespace {

constexpr int kBusyMs = 2000;      // a reader holds a rollback-journal file for less
constexpr int kCloseBusyMs = 100;  // readers may keep the WAL; it is whole, and the next writer empties it

/// Read-write descriptors of this process that are open on the file. /proc is asked instead of a count of our own: it
/// also sees a connection that went round this class.
int writers_of(std::uint64_t device, std::uint64_t inode) {
  int writers = 0;
  DIR* descriptors = ::opendir("/proc/self/fd");
  if (descriptors == nullptr) return 1;
  while (const dirent* entry = ::readdir(descriptors)) {
    const std::string_view name = entry->d_name;
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    struct stat found {};
    if (descriptor < 0 || ::fstat(descriptor, &found) != 0) continue;
    if (found.st_dev != device || found.st_ino != inode) continue;
    if ((::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDWR) ++writers;
  }
  ::closedir(descriptors);
  return writers;
}

bool on_network_disk(const std::string& path) {
  struct statfs disk {};
  if (::statfs(std::filesystem::path(path).parent_path().c_str(), &disk) != 0) return false;
  constexpr std::array<std::uint32_t, 5> kNetwork = {0x6969 /* NFS */, 0x517B /* SMB */, 0xFF534D42 /* CIFS */,
                                                     0xFE534D42 /* SMB2 */, 0x01021997 /* 9P */};
  const auto type = static_cast<std::uint32_t>(disk.f_type);
  for (const std::uint32_t network : kNetwork)
    if (type == network) return true;
  return false;
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void log_version_once() {
  [[maybe_unused]] static const bool logged = [] {
    log::info(std::string("SQLite ") + sqlite3_libversion());
    return true;
  }();
}

int open_handle(const std::string& path, int flags, const WriterOptions& options, DatabaseHandle& handle) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  handle.reset(database);
  return code;
}

}  // namespace

Status RunDatabase::make(const std::string& path, const std::map<std::string, std::string>& meta,
                         const WriterOptions& options) {
  const std::string unfinished = path + ".new";
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((unfinished + suffix).c_str());
  // Nothing is rolled back in it: what fails here is thrown away as a whole.
  const auto failed = [&](Diagnostic why) {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((unfinished + suffix).c_str());
    return why;
  };
  {
    DatabaseHandle handle;
    const int code = open_handle(unfinished, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, options, handle);
    if (code != SQLITE_OK)
      return failed(failure_in_words(path, code, system_error_of(handle.get(), code), sqlite3_errstr(code)));
    const std::string pragmas = "PRAGMA page_size = " + std::to_string(kPageBytes) +
                                "; PRAGMA application_id = " + std::to_string(kApplicationId) +
                                "; PRAGMA user_version = " + std::to_string(kSchemaVersion) +
                                "; PRAGMA synchronous = FULL; PRAGMA journal_mode = OFF;";
    RunDatabase file(std::move(handle), unfinished, options);
    file.remember_place();
    if (auto problem = file.fill(pragmas, meta, options.network_disk.value_or(on_network_disk(path)))) {
      file.abandon();
      return failed(std::move(problem->diagnostic));
    }
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return failed(write_problem(path, errno));
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  const int reason = errno;
  if (folder >= 0) ::close(folder);
  if (!synced && reason != EINVAL) return write_problem(path, reason);  // EINVAL: this disk syncs no folders
  return Done{};
}

std::optional<FileProblem> RunDatabase::fill(const std::string& pragmas, const std::map<std::string, std::string>& meta,
                                             bool network_disk) {
  if (auto problem = execute(pragmas)) return problem;
  begin();
  for (const TableText& table : run_tables()) run(table.sql);
  for (const auto& [key, value] : meta) run("INSERT INTO meta VALUES(?, ?)", std::string_view(key), Blob{value});
  if (auto problem = commit()) return problem;
  // The mark is kept in the file itself, so that it need not be changed again under its final name.
  return network_disk ? std::nullopt : execute("PRAGMA journal_mode = WAL");
}

Result<std::unique_ptr<RunDatabase>> RunDatabase::open(const std::string& path, const WriterOptions& options) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return write_problem(path, errno);
  // Followed, a link in somebody else's folder would have us write wherever it points.
  if (!S_ISREG(found.st_mode)) return about_file(path, "is not a plain file", "put the run's own file in its place");
  DatabaseHandle handle;
  const int code = open_handle(path, SQLITE_OPEN_READWRITE, options, handle);
  if (code != SQLITE_OK) return failure_in_words(path, code, system_error_of(handle.get(), code), sqlite3_errstr(code));
  // SQLite falls back to reading when it may not write.
  if (sqlite3_db_readonly(handle.get(), "main") == 1) return write_problem(path, EACCES);
  log_version_once();
  std::unique_ptr<RunDatabase> database(new RunDatabase(std::move(handle), path, options));
  database->remember_place();
  if (const Status ready = database->set_up(options); !ready) {
    database->abandon();
    return ready.error();
  }
  return database;
}

RunDatabase::RunDatabase(DatabaseHandle database, std::string path, const WriterOptions& options)
    : database_(std::move(database)),
      path_(std::move(path)),
      wal_limit_bytes_(options.wal_limit_bytes),
      checkpoint_pages_(options.checkpoint_pages) {}

Status RunDatabase::set_up(const WriterOptions& options) {
  sqlite3* database = database_.get();
  sqlite3_busy_timeout(database, kBusyMs);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  const bool network = options.network_disk.value_or(on_network_disk(path_));
  const std::string pragmas =
      std::string("PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA journal_mode = ") +
      (network ? "DELETE" : "WAL") +
      "; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = " + std::to_string(options.wal_limit_bytes) +
      "; PRAGMA cell_size_check = 1;";
  if (auto problem = execute(pragmas)) return std::move(problem->diagnostic);
  sqlite3_wal_hook(
      database,
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      &wal_pages_);
  std::int64_t application = 0, version = 0;
  const auto into = [](std::int64_t& number) {
    return [&number](sqlite3_stmt* row) {
      number = sqlite3_column_int64(row, 0);
      return false;
    };
  };
  auto problem = query("PRAGMA application_id", into(application));
  if (!problem) problem = query("PRAGMA user_version", into(version));
  if (problem) return std::move(problem->diagnostic);
  if (application != kApplicationId || version != kSchemaVersion)
    return about_file(path_, "is not a run file of this version");
  assert_only_writer();
  return Done{};
}

RunDatabase::~RunDatabase() {
  statements_.clear();
  if (abandoned_ || !in_place()) {
    sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return;
  }
  sqlite3_busy_timeout(database_.get(), kCloseBusyMs);
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  // After a failed sync the WAL still holds everything; closing must not try that file again.
  if (code != SQLITE_OK) sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void RunDatabase::assert_only_writer() const {
  MOESCOPE_ASSERT(writers_of(device_, inode_) <= 1,
                  "a second read-write connection to a run file can corrupt its WAL (SQLite below 3.51.3)");
}

void RunDatabase::note(int code) {
  if (code_ != SQLITE_OK) return;
  code_ = code;
  system_error_ = system_error_of(database_.get(), code);
  message_ = sqlite3_errmsg(database_.get());
}

std::optional<FileProblem> RunDatabase::problem() const {
  if (code_ == SQLITE_OK) return std::nullopt;
  return FileProblem{failure_in_words(path_, code_, system_error_, message_), !may_wait(code_, system_error_)};
}

std::optional<FileProblem> RunDatabase::execute(const std::string& sql) {
  code_ = SQLITE_OK;
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) note(code);
  return problem();
}

sqlite3_stmt* RunDatabase::prepared(const char* sql) {
  if (code_ != SQLITE_OK) return nullptr;
  StatementHandle& statement = statements_[sql];
  if (!statement) {
    sqlite3_stmt* fresh = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &fresh, nullptr);
    if (code != SQLITE_OK) {
      note(code);
      return nullptr;
    }
    statement.reset(fresh);
  }
  return statement.get();
}

void RunDatabase::step(sqlite3_stmt* statement) {
  int code = sqlite3_step(statement);
  while (code == SQLITE_ROW) code = sqlite3_step(statement);
  if (code != SQLITE_DONE) note(code);
  sqlite3_reset(statement);
}

void RunDatabase::begin() {
  code_ = SQLITE_OK;
  run("BEGIN IMMEDIATE");
}

std::optional<FileProblem> RunDatabase::commit() {
  run("COMMIT");
  std::optional<FileProblem> failed = problem();
  code_ = SQLITE_OK;
  // SQLite rolls back by itself after some errors only.
  if (failed && sqlite3_get_autocommit(database_.get()) == 0)
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return failed;
}

std::optional<FileProblem> RunDatabase::checkpoint_when_due() {
  if (wal_pages_ < checkpoint_pages_) return std::nullopt;
  int in_wal = 0, moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
  if (code == SQLITE_OK || code == SQLITE_BUSY) {
    // All of it moved: the next commit starts the WAL anew.
    wal_is_held_ = moved < in_wal && std::int64_t{in_wal} * kPageBytes > wal_limit_bytes_;
    return std::nullopt;
  }
  code_ = SQLITE_OK;
  note(code);
  std::optional<FileProblem> failed = problem();
  code_ = SQLITE_OK;
  // Without space the data stays in the WAL, where it is just as safe.
  return failed && failed->broken ? failed : std::nullopt;
}

void RunDatabase::remember_place() {
  struct stat found {};
  if (::stat(path_.c_str(), &found) != 0) return;
  device_ = found.st_dev;
  inode_ = found.st_ino;
}

bool RunDatabase::in_place() const {
  struct stat found {};
  return ::stat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

void RunDatabase::abandon() { abandoned_ = true; }

}  // namespace moescope::record
