#include "core/corpus/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "core/base/spawn.h"
#include "core/corpus/document.h"

namespace moescope::corpus {
namespace {

constexpr int kPollMs = 100;

/// Ours, but with messages in English, since some of them are read.
std::vector<std::string> child_environment() {
  std::vector<std::string> variables = own_environment();
  std::erase_if(variables, [](const std::string& variable) {
    return variable.starts_with("LC_ALL=") || variable.starts_with("LANGUAGE=");
  });
  variables.insert(variables.end(), {"LC_ALL=C", "LANGUAGE="});
  return variables;
}

class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      wait();
    }
    for (const int descriptor : {read_[0], read_[1], write_[0], write_[1]})
      if (descriptor >= 0) ::close(descriptor);
  }

  /// 0, or the reason as an errno.
  int start(const ProcessRequest& request) {
    for (std::size_t i = 0; i < 2; ++i) {
      std::array<int, 2> ends{};
      if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
      read_[i] = ends[0];
      write_[i] = ends[1];
    }
    const int reason = spawn(request);
    for (int& descriptor : write_) {
      ::close(descriptor);
      descriptor = -1;
    }
    return reason;
  }

  /// Appends what has come; false once both streams have ended.
  bool read_some(ProcessResult& result) {
    std::array<pollfd, 2> waits{{{read_[0], POLLIN, 0}, {read_[1], POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), kPollMs) < 0 && errno != EINTR) return false;
    std::array<char, 65536> block{};
    for (std::size_t i = 0; i < 2; ++i) {
      if (read_[i] < 0 || waits[i].revents == 0) continue;
      const ssize_t count = ::read(read_[i], block.data(), block.size());
      if (count > 0) {
        (i == 0 ? result.output : result.errors).append(block.data(), static_cast<std::size_t>(count));
      } else if (count == 0 || errno != EINTR) {
        ::close(read_[i]);
        read_[i] = -1;
      }
    }
    return read_[0] >= 0 || read_[1] >= 0;
  }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  int spawn(const ProcessRequest& request) {
    Spawn spawn;
    posix_spawn_file_actions_adddup2(spawn.actions(), write_[0], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(spawn.actions(), write_[1], STDERR_FILENO);
    if (!request.working_folder.empty())
      posix_spawn_file_actions_addchdir_np(spawn.actions(), request.working_folder.c_str());
    return spawn.start(request.arguments, child_environment(), pid_);
  }

  pid_t pid_ = -1;
  std::array<int, 2> read_{-1, -1}, write_{-1, -1};  // standard output, standard error
};

}  // namespace

Result<ProcessResult> run_process(const ProcessRequest& request, const std::stop_token& stop) {
  Child child;
  const std::string& program = request.arguments.at(0);
  if (stop.stop_requested()) return stopped();
  if (const int reason = child.start(request); reason != 0)
    return error("the program '" + program + "' cannot be started: " + std::strerror(reason));
  ProcessResult result;
  while (child.read_some(result)) {
    if (stop.stop_requested()) return stopped();
    if (result.output.size() + result.errors.size() > request.max_output)
      return error("the program '" + program + "' writes more than is taken from it");
    if (request.while_running) request.while_running();
  }
  result.exit_code = child.wait();
  return result;
}

bool program_exists(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (std::filesystem::path(folder) / program).string();
    if (::access(candidate.c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace moescope::corpus
