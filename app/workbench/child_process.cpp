#include "app/workbench/child_process.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/base/spawn.h"

namespace moescope::app {
namespace {

constexpr std::size_t kMostLine = 1024;

/// A descriptor that closes itself.
struct Owned {
  int value = -1;
  explicit Owned(int descriptor) : value(descriptor) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (value >= 0) ::close(value);
  }
  int release() { return std::exchange(value, -1); }
};

/// The same file above the numbers that the process gets, which a program started without its standard ones may hold.
int lifted(int descriptor) {
  constexpr int kAbove = 10;
  const Owned old(descriptor);
  return ::fcntl(descriptor, F_DUPFD_CLOEXEC, kAbove);
}

Diagnostic cannot(const std::string& what, int reason) { return error(what + ": " + std::strerror(reason)); }

}  // namespace

ChildProcess::~ChildProcess() {
  if (id_ > 0) {
    signal(SIGKILL);
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (errors_ >= 0) ::close(errors_);
}

Status ChildProcess::start(const std::string& program, const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return cannot("no socket for the training process", errno);
  Owned ours(ends[0]), theirs(lifted(ends[1]));
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return cannot("no pipe for the training process", errno);
  Owned errors_in(ends[0]), errors_out(lifted(ends[1]));
  if (theirs.value < 0 || errors_out.value < 0) return cannot("no descriptor for the training process", errno);
  const int reason = spawn(program, arguments, theirs.value, errors_out.value);
  if (reason != 0) return cannot("the training process '" + program + "' cannot be started", reason);
  pipe_ = MessagePipe(ours.value, ours.value);
  ours.release();
  errors_ = errors_in.release();
  ::fcntl(errors_, F_SETFL, O_NONBLOCK);
  return Done{};
}

int ChildProcess::spawn(const std::string& program, const std::vector<std::string>& arguments, int socket, int errors) {
  Spawn spawn;
  posix_spawn_file_actions_adddup2(spawn.actions(), errors, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(spawn.actions(), errors, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(spawn.actions(), socket, kChildDescriptor);
  posix_spawn_file_actions_addclosefrom_np(spawn.actions(), kChildDescriptor + 1);
  std::vector<std::string> all{program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return spawn.start(std::move(all), own_environment(), id_);
}

pollfd ChildProcess::poll_errors() const { return {errors_, POLLIN, 0}; }

void ChildProcess::read_errors(std::vector<std::string>& lines) {
  std::array<char, 4096> block;  // NOLINT: filled by read()
  while (errors_ >= 0) {
    const ssize_t count = ::read(errors_, block.data(), block.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      ::close(std::exchange(errors_, -1));
      take_line(std::exchange(partial_, {}), lines);
      return;
    }
    for (const char c : std::string_view(block.data(), static_cast<std::size_t>(count))) {
      if (c == '\n' || partial_.size() >= kMostLine) take_line(std::exchange(partial_, {}), lines);
      if (c != '\n') partial_ += c;
    }
    if (lines.size() > kMostLine) return;  // the rest in the next round
  }
}

void ChildProcess::take_line(std::string line, std::vector<std::string>& lines) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return;
  last_error_ = line;
  lines.push_back(std::move(line));
}

void ChildProcess::signal(int number) const {
  if (id_ > 0) ::kill(id_, number);
}

std::optional<int> ChildProcess::reap() {
  int status = 0;
  if (id_ <= 0 || ::waitpid(id_, &status, WNOHANG) != id_) return std::nullopt;
  id_ = -1;
  return status;
}

std::string how_it_ended(int wait_status) {
  if (WIFEXITED(wait_status)) return "ended with exit code " + std::to_string(WEXITSTATUS(wait_status));
  const int number = WTERMSIG(wait_status);
  const char* name = number == SIGKILL ? "out of memory?" : ::sigdescr_np(number);
  return "was killed by signal " + std::to_string(number) + (name != nullptr ? " (" + std::string(name) + ')' : "");
}

}  // namespace moescope::app
