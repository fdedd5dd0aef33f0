#pragma once
// A trainer on its own thread, as the window has it.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "core/train/trainer_thread.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope::test {

class ThreadHarness {
 public:
  explicit ThreadHarness(const config::RunConfig& config, train::TrainerHooks hooks = tiny_hooks(),
                         std::shared_ptr<bus::Channels> with = std::make_shared<bus::Channels>(),
                         bool start_paused = false, std::string folder = {})
      : channels(std::move(with)) {
    log::set_console(false);
    train::RunRequest request;
    request.config = config;
    request.start_paused = start_paused;
    request.folder = std::move(folder);
    thread = std::make_unique<train::TrainerThread>(std::move(request), channels, std::move(hooks));
  }

  bus::RunStatus status() const { return channels->status.read(); }

  bool wait_until(const std::function<bool()>& holds) const {
    for (int i = 0; i < 5000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }
  bool wait_for(bus::RunState state) const {
    return wait_until([&] { return status().state == state; });
  }

  /// Sends and waits for the answer.
  bus::Reply send(bus::Command command) {
    command.seq = ++seq_;
    channels->commands.try_push(command);
    bus::Reply answer;
    const bool answered = wait_until([&] {
      auto reply = channels->replies.try_pop();
      if (reply) answer = std::move(*reply);
      return reply.has_value();
    });
    MOESCOPE_ASSERT(answered && answer.command.seq == seq_, "every command gets its reply");
    return answer;
  }

  std::shared_ptr<bus::Channels> channels;
  std::unique_ptr<train::TrainerThread> thread;

 private:
  std::uint64_t seq_ = 0;
};

}  // namespace moescope::test
