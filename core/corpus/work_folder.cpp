#include "core/corpus/work_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "core/base/text.h"
#include "core/corpus/document.h"

namespace moescope::corpus {

namespace fs = std::filesystem;

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status FolderLock::take(const std::string& folder, const std::string& name, const Progress& progress,
                        const std::stop_token& stop) {
  std::error_code ignored;
  fs::create_directories(folder, ignored);
  const std::string path = folder + '/' + name;
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0)
    return Diagnostic{Severity::kError,
                      {printable(path), 0, 0, {}},
                      std::string("cannot be written: ") + std::strerror(errno),
                      "name a cache folder that you may write to with MOESCOPE_CACHE"};
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (stop.stop_requested()) return stopped();
    if (errno != EWOULDBLOCK && errno != EINTR) return Done{};  // a file system without locks: go on alone
    progress("waiting for another program that prepares the corpus", -1);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return Done{};
}

WorkFolder::WorkFolder(std::string path) : path_(std::move(path)) {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  fs::create_directories(path_, ignored);
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace moescope::corpus
