#include "core/record/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/base/text.h"

namespace moescope::record {
namespace {

constexpr mode_t kMode = 0644;
constexpr const char* kUnfinished = ".tmp";  // and the process' number

/// How much of `bytes` was written; less than all leaves the reason in errno.
std::size_t write_all(int descriptor, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      if (count == 0) errno = EIO;
      return done;
    }
  }
  return done;
}

/// Makes the new name itself durable.
void sync_folder_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const int descriptor = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

Diagnostic about_file(const std::string& path, std::string message, std::string hint) {
  return {Severity::kError, {printable(path), 0, 0, {}}, std::move(message), std::move(hint)};
}

Diagnostic write_problem(const std::string& path, int error_number) {
  std::string hint;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: hint = "free some space, or name a folder on another disk"; break;
    case EFBIG: hint = "this file may not grow further; raise the limit on file sizes (ulimit -f)"; break;
    case EACCES:
    case EPERM:
    case EROFS: hint = "name a folder that you may write to"; break;
    default: break;
  }
  return about_file(path, std::string("cannot be written: ") + std::strerror(error_number), std::move(hint));
}

Status write_new_file(const std::string& path, std::string_view bytes) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (descriptor < 0) return write_problem(path, errno);
  const bool whole = write_all(descriptor, bytes) == bytes.size();
  const int reason = errno;
  if (::close(descriptor) != 0 && whole) return write_problem(path, errno);
  if (!whole) return write_problem(path, reason);
  return Done{};
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temporary_(path_ + kUnfinished + std::to_string(::getpid())) {
  constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  descriptor_ = ::open(temporary_.c_str(), kNew, kMode);
  if (descriptor_ < 0 && errno == EEXIST) {  // left by a process of our number that was killed
    ::unlink(temporary_.c_str());
    descriptor_ = ::open(temporary_.c_str(), kNew, kMode);
  }
  if (descriptor_ < 0) error_ = errno;
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  if (error_ == 0 && write_all(descriptor_, bytes) != bytes.size()) error_ = errno;
}

Status AtomicFile::sync() {
  if (error_ == 0 && ::fsync(descriptor_) != 0) error_ = errno;
  if (error_ != 0) return write_problem(path_, error_);
  return Done{};
}

Status AtomicFile::commit() {
  if (Status synced = sync(); !synced) return synced;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ != 0) return write_problem(path_, error_);
  ::close(std::exchange(descriptor_, -1));
  sync_folder_of(path_);
  return Done{};
}

void remove_unfinished(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path whole(path);
  const std::string prefix = whole.filename().string() + kUnfinished;
  std::error_code failure;
  std::vector<fs::path> left;
  for (const fs::directory_entry& entry : fs::directory_iterator(whole.parent_path(), failure)) {
    const std::string name = entry.path().filename().string();
    const bool numbered =
        name.size() > prefix.size() && name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (name.starts_with(prefix) && numbered) left.push_back(entry.path());
  }
  for (const fs::path& one : left) fs::remove(one, failure);
}

}  // namespace moescope::record
