#include "tests/core/record/fault_vfs.h"

#include <sqlite3.h>

#include <cerrno>
#include <new>
#include <utility>

#include "core/base/mutex.h"

namespace moescope::record {

struct FaultVfs::Body {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::string name;
  Mutex mutex;
  Hook hook MOESCOPE_GUARDED_BY(mutex);

  FileAnswer ask(FileOperation what, const std::string& file, std::int64_t offset = 0, std::string bytes = {}) {
    MutexLock lock(mutex);
    const FileAnswer answer = hook ? hook({what, file, offset, std::move(bytes)}) : FileAnswer{};
    if (answer.code != SQLITE_OK) errno = answer.system_error;  // where SQLite's own VFS looks
    return answer;
  }
};

namespace {

struct File {
  sqlite3_file base;
  FaultVfs::Body* body;
  std::string* name;  // owned
  int last_error;     // of the system, as the last hook said
};

File* file_of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(file_of(file) + 1); }
FaultVfs::Body* body_of(sqlite3_vfs* vfs) { return static_cast<FaultVfs::Body*>(vfs->pAppData); }

std::string leaf(const char* path) {
  const std::string text = path == nullptr ? "" : path;
  return text.substr(text.rfind('/') + 1);
}

template <auto Member, class... Arguments>
int forward(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* real = real_of(file);
  return (real->pMethods->*Member)(real, arguments...);
}

/// What a call that the hook makes fail returns, in both places where SQLite looks for the system's reason.
int fail(sqlite3_file* file, const FileAnswer& answer) {
  file_of(file)->last_error = answer.system_error;
  errno = answer.system_error;
  return answer.code;
}

int control_file(sqlite3_file* file, int operation, void* argument) {
  if (operation == SQLITE_FCNTL_LAST_ERRNO && file_of(file)->last_error != 0) {
    *static_cast<int*>(argument) = file_of(file)->last_error;
    return SQLITE_OK;
  }
  return forward<&sqlite3_io_methods::xFileControl>(file, operation, argument);
}

int close_file(sqlite3_file* file) {
  delete file_of(file)->name;
  return forward<&sqlite3_io_methods::xClose>(file);
}

int write_file(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const std::string copy(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
  const FileAnswer answer = file_of(file)->body->ask(FileOperation::kWrite, *file_of(file)->name, offset, copy);
  if (answer.code == SQLITE_OK) return forward<&sqlite3_io_methods::xWrite>(file, bytes, size, offset);
  if (answer.written > 0) forward<&sqlite3_io_methods::xWrite>(file, bytes, static_cast<int>(answer.written), offset);
  return fail(file, answer);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  const FileAnswer answer = file_of(file)->body->ask(FileOperation::kTruncate, *file_of(file)->name, size);
  return answer.code == SQLITE_OK ? forward<&sqlite3_io_methods::xTruncate>(file, size) : fail(file, answer);
}

int sync_file(sqlite3_file* file, int flags) {
  const FileAnswer answer = file_of(file)->body->ask(FileOperation::kSync, *file_of(file)->name);
  return answer.code == SQLITE_OK ? forward<&sqlite3_io_methods::xSync>(file, flags) : fail(file, answer);
}

void shm_barrier(sqlite3_file* file) {
  sqlite3_file* real = real_of(file);
  real->pMethods->xShmBarrier(real);
}

const sqlite3_io_methods kMethods = {
    2,
    close_file,
    forward<&sqlite3_io_methods::xRead>,
    write_file,
    truncate_file,
    sync_file,
    forward<&sqlite3_io_methods::xFileSize>,
    forward<&sqlite3_io_methods::xLock>,
    forward<&sqlite3_io_methods::xUnlock>,
    forward<&sqlite3_io_methods::xCheckReservedLock>,
    control_file,
    forward<&sqlite3_io_methods::xSectorSize>,
    forward<&sqlite3_io_methods::xDeviceCharacteristics>,
    forward<&sqlite3_io_methods::xShmMap>,
    forward<&sqlite3_io_methods::xShmLock>,
    shm_barrier,
    forward<&sqlite3_io_methods::xShmUnmap>,
    nullptr,
    nullptr,
};

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  FaultVfs::Body* body = body_of(vfs);
  file->pMethods = nullptr;
  const FileAnswer answer = body->ask(FileOperation::kOpen, leaf(path));
  if (answer.code != SQLITE_OK) return answer.code;
  sqlite3_file* real = real_of(file);
  const int code = body->real->xOpen(body->real, path, real, flags, out_flags);
  if (real->pMethods == nullptr) return code;
  if (code != SQLITE_OK) {
    real->pMethods->xClose(real);
    return code;
  }
  file->pMethods = &kMethods;
  file_of(file)->body = body;
  file_of(file)->last_error = 0;
  file_of(file)->name = new std::string(leaf(path));
  return code;
}

int delete_file(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  FaultVfs::Body* body = body_of(vfs);
  const FileAnswer answer = body->ask(FileOperation::kDelete, leaf(path));
  return answer.code == SQLITE_OK ? body->real->xDelete(body->real, path, sync_folder) : answer.code;
}

int access_file(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
  return body_of(vfs)->real->xAccess(body_of(vfs)->real, path, flags, result);
}

int full_path(sqlite3_vfs* vfs, const char* path, int size, char* out) {
  return body_of(vfs)->real->xFullPathname(body_of(vfs)->real, path, size, out);
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  return body_of(vfs)->real->xRandomness(body_of(vfs)->real, size, out);
}

int sleep_us(sqlite3_vfs* vfs, int us) { return body_of(vfs)->real->xSleep(body_of(vfs)->real, us); }

int current_time(sqlite3_vfs* vfs, double* now) { return body_of(vfs)->real->xCurrentTime(body_of(vfs)->real, now); }

int current_time_64(sqlite3_vfs* vfs, sqlite3_int64* now) {
  return body_of(vfs)->real->xCurrentTimeInt64(body_of(vfs)->real, now);
}

int last_error(sqlite3_vfs*, int, char*) { return errno; }

}  // namespace

FaultVfs::FaultVfs(Hook hook) : body_(std::make_unique<Body>()) {
  static int made = 0;
  body_->name = "moescope_fault_" + std::to_string(++made);
  body_->hook = std::move(hook);
  body_->real = sqlite3_vfs_find(nullptr);
  sqlite3_vfs& vfs = body_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + body_->real->szOsFile;
  vfs.mxPathname = body_->real->mxPathname;
  vfs.zName = body_->name.c_str();
  vfs.pAppData = body_.get();
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep_us;
  vfs.xCurrentTime = current_time;
  vfs.xGetLastError = last_error;
  vfs.xCurrentTimeInt64 = current_time_64;
  sqlite3_vfs_register(&vfs, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&body_->vfs); }

const std::string& FaultVfs::name() const { return body_->name; }

void FaultVfs::set_hook(Hook hook) {
  MutexLock lock(body_->mutex);
  body_->hook = std::move(hook);
}

}  // namespace moescope::record
