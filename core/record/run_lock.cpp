#include "core/record/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include "core/base/text.h"
#include "core/record/output_file.h"

namespace moescope::record {
namespace {

// A reader that looks whether the run is being written holds the lock for an instant.
constexpr int kTries = 20;
constexpr std::chrono::milliseconds kPause{20};

std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string name(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const bool number = !name.empty() && name.find_first_not_of("0123456789\n") == std::string::npos;
  return number ? " (process " + name.substr(0, name.find('\n')) + ')' : "";
}

}  // namespace

Result<RunLock> RunLock::take(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) return write_problem(path, errno);
  RunLock lock(descriptor);
  for (int tries = 1; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return write_problem(path, errno);
    if (tries == kTries)
      return about_file(folder, "this run is being recorded by another program" + holder(descriptor),
                        "wait for it to end, or stop it; a fork into a new folder is possible meanwhile");
    std::this_thread::sleep_for(kPause);
  }
  // Only for the sentence above; a full disk does not matter.
  const std::string process = std::to_string(::getpid()) + '\n';
  if (::ftruncate(descriptor, 0) == 0) static_cast<void>(!::pwrite(descriptor, process.data(), process.size(), 0));
  return lock;
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace moescope::record
