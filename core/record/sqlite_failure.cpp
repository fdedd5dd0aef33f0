#include "core/record/sqlite_failure.h"

#include <cerrno>

#include "core/record/output_file.h"

namespace moescope::record {
namespace {

/// Of the file that failed: SQLite tells the system's reason for what fails inside a statement, not for what fails
/// while it commits, but its files keep theirs.
int last_errno_of(sqlite3* database, int which) {
  sqlite3_file* file = nullptr;
  int reason = 0;
  if (sqlite3_file_control(database, "main", which, &file) == SQLITE_OK && file != nullptr && file->pMethods != nullptr)
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason);
  return reason;
}

}  // namespace

bool may_wait(int code, int system_error) {
  const bool no_space = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
  switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return true;
    case SQLITE_IOERR:
      return (code == SQLITE_IOERR_WRITE && no_space) || (code == SQLITE_IOERR_SHMSIZE && no_space) ||
             code == SQLITE_IOERR_NOMEM;
    default: return false;
  }
}

Diagnostic failure_in_words(const std::string& path, int code, int system_error, const std::string& message) {
  if ((code & 0xFF) == SQLITE_NOMEM)
    return about_file(path, "cannot be written: memory ran out", "close other programs; it is tried again");
  if ((code & 0xFF) == SQLITE_FULL) system_error = ENOSPC;
  if (system_error != 0) return write_problem(path, system_error);
  if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED)
    return about_file(path, "cannot be written: another program holds it", "close what else has this run open");
  if ((code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB)
    return about_file(path, "cannot be written: it is damaged", "fork the run from one of its checkpoints");
  return about_file(path, "cannot be written: " + message + " (SQLite error " + std::to_string(code) + ")");
}

int system_error_of(sqlite3* database, int code) {
  const int primary = code & 0xFF;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return 0;
  if (database == nullptr) return ENOMEM;
  if (primary == SQLITE_IOERR) {
    for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER})
      if (const int reason = last_errno_of(database, which); reason != 0) return reason;
  }
  return sqlite3_system_errno(database);
}

}  // namespace moescope::record
