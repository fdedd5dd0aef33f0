#pragma once
// A trainer in a process of its own: whatever ends that process (a crash, the kernel when memory runs out) leaves the
// window alive, and what it recorded is in the run folder. For everyone else it is a TrainerHandle like the one of the
// training thread: the same channels, the same states, the same bits.
// Threads: construct, request_stop(), ended() and destroy from one thread; bytes move on a thread of its own.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "app/workbench/workbench.h"

namespace moescope::app {

struct ChildOptions {
  std::string program;  ///< empty: the moescope-cli beside this program
  std::vector<std::string> arguments{"serve", "--fd", "3"};
  std::chrono::milliseconds silence{15000};  ///< without a word; then the activity says so
  std::chrono::milliseconds patience{5000};  ///< after a stop: then SIGTERM, and once more, then SIGKILL
};

/// The window's side of a training process.
class ChildTrainer : public TrainerHandle {
 public:
  /// `request` is request_bytes(), `folder` the run's, for messages. Whatever goes wrong is told by `channels`: the
  /// state is Failed, in phase "process" when the process itself is to blame.
  ChildTrainer(std::string request, std::string folder, std::shared_ptr<bus::Channels> channels,
               ChildOptions options = {});
  /// Asks to stop and waits for the end: at most twice the patience and the last words.
  ~ChildTrainer() override;
  ChildTrainer(const ChildTrainer&) = delete;
  ChildTrainer& operator=(const ChildTrainer&) = delete;

  void request_stop() override;
  /// The process is over and reaped, and everything it sent is in the channels.
  bool ended() const override;
  /// Of the process; −1 while there is none.
  int process_id() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

/// As start_real_trainer(), in a process of its own. `request.ring` stays unused.
std::unique_ptr<TrainerHandle> start_child_trainer(train::RunRequest request, std::shared_ptr<bus::Channels> channels);

}  // namespace moescope::app
