#pragma once
// One process of ours that speaks over one socket. It inherits nothing else: no descriptor, no ignored signal, and not
// our process group, so that Ctrl-C in a terminal reaches us alone.
// Threads: one owner.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "app/workbench/message_pipe.h"
#include "core/base/result.h"

namespace moescope::app {

inline constexpr int kChildDescriptor = 3;  ///< where the process finds its end of the socket

class ChildProcess {
 public:
  ChildProcess() = default;
  ~ChildProcess();  ///< kills and reaps what still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Once. `program` is a path. The environment and the working folder are ours.
  Status start(const std::string& program, const std::vector<std::string>& arguments);

  MessagePipe& pipe() { return pipe_; }
  pid_t id() const { return id_; }  ///< −1 before start() and after it was reaped
  pollfd poll_errors() const;

  /// Takes what came on the process's standard output and error; complete lines are added to `lines`.
  void read_errors(std::vector<std::string>& lines);
  /// The last line that came there and was not blank.
  const std::string& last_error() const { return last_error_; }

  void signal(int number) const;
  /// Reaps the process if it has ended. Its wait status, once.
  std::optional<int> reap();

 private:
  int spawn(const std::string& program, const std::vector<std::string>& arguments, int socket, int errors);
  void take_line(std::string line, std::vector<std::string>& lines);

  pid_t id_ = -1;
  MessagePipe pipe_;
  int errors_ = -1;
  std::string partial_;
  std::string last_error_;
};

/// "was killed by signal 9 (out of memory?)", "ended with exit code 3".
std::string how_it_ended(int wait_status);

}  // namespace moescope::app
