#pragma once
// Starting another program. Threads: any.

#include <spawn.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace moescope {

/// What every program that the lab starts gets: nothing to read, a process group of its own (so that a stop reaches
/// its children, and Ctrl-C reaches it through our stop only), and no signal that this program blocks or ignores.
class Spawn {
 public:
  Spawn();
  ~Spawn();
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  /// Where its descriptors and its working folder are said.
  posix_spawn_file_actions_t* actions() { return &actions_; }

  /// arguments[0] is the program, looked for in PATH when it is a bare name; `environment`: "NAME=value" each.
  /// 0 and its process id, or the reason as an errno and -1.
  int start(std::vector<std::string> arguments, std::vector<std::string> environment, pid_t& id);

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// This process' own.
std::vector<std::string> own_environment();

}  // namespace moescope
