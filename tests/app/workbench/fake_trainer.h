#pragma once
// A trainer that does nothing by itself: the test plays its part on the channels.

#include <gtest/gtest.h>

#include <vector>

#include "app/workbench/workbench.h"

namespace moescope::app {

/// What the test and the handle share; outlives the handle, so that a destroyed trainer is still seen.
struct FakeState {
  train::RunRequest request;
  std::shared_ptr<bus::Channels> channels;
  bool stop_requested = false;
  bool ended = false;
  bool destroyed = false;

  void publish(bus::RunState state, std::int64_t step = 0) {
    channels->status.update([&](bus::RunStatus& status) {
      status.state = state;
      status.step = step;
    });
  }
  void checkpoints(std::vector<std::int64_t> steps) {
    channels->status.update([&](bus::RunStatus& status) { status.checkpoints = std::move(steps); });
  }
  void fail(const std::string& phase, const std::string& message, std::int64_t step) {
    channels->status.update([&](bus::RunStatus& status) {
      status.state = bus::RunState::kFailed;
      status.failure = {step, phase, message};
    });
  }
  void frame(std::int64_t step, double task = 1, int stage = 0, std::vector<telemetry::Event> events = {}) {
    auto made = std::make_shared<telemetry::TelemetryFrame>();
    made->step = step;
    made->stage = stage;
    made->events = std::move(events);
    made->losses = {{"task", task}, {"total", task}};
    channels->frames.push_drop_oldest(std::move(made));
  }
  void announce(const std::string& name) {
    auto run = std::make_shared<telemetry::RunInfo>();
    run->name = name;
    channels->runs.push_drop_oldest(std::move(run));
  }
  /// Answers the oldest waiting command; returns it.
  bus::Command answer(bool done, std::int64_t step, std::string text, std::optional<config::Value> old_value = {}) {
    const auto command = channels->commands.try_pop();
    EXPECT_TRUE(command.has_value()) << "no command waits";
    if (!command) return {};
    bus::Reply reply;
    reply.command = *command;
    reply.done = done;
    reply.step = step;
    reply.text = std::move(text);
    reply.old_value = std::move(old_value);
    channels->replies.push_drop_oldest(std::move(reply));
    return *command;
  }
  void end(bus::RunState state) {
    publish(state);
    ended = true;
  }
};

class FakeTrainer : public TrainerHandle {
 public:
  explicit FakeTrainer(std::shared_ptr<FakeState> state) : state_(std::move(state)) {}
  ~FakeTrainer() override { state_->destroyed = true; }
  FakeTrainer(const FakeTrainer&) = delete;
  FakeTrainer& operator=(const FakeTrainer&) = delete;
  void request_stop() override { state_->stop_requested = true; }
  bool ended() const override { return state_->ended; }

 private:
  std::shared_ptr<FakeState> state_;
};

class WithFakeTrainer : public testing::Test {
 protected:
  FakeState& trainer() { return *trainers_.back(); }
  static train::RunRequest request(const std::string& name) {
    train::RunRequest made;
    made.config.top.name = name;
    made.config.router = {{"top_k", std::int64_t{2}}, {"balance_coefficient", 0.01}};
    return made;
  }
  static bus::Command command(bus::CommandKind kind) {
    bus::Command made;
    made.kind = kind;
    return made;
  }
  static bus::Command set(const std::string& key, config::Value value) {
    bus::Command made = command(bus::CommandKind::kSet);
    made.key = key;
    made.value = std::move(value);
    return made;
  }
  void start_running() {
    bench_.start(request("run"));
    trainer().announce("run");
    trainer().publish(bus::RunState::kRunning, 1);
    bench_.pump();
  }

  std::vector<std::shared_ptr<FakeState>> trainers_;
  Workbench bench_{[this](train::RunRequest made, std::shared_ptr<bus::Channels> channels) {
    auto state = std::make_shared<FakeState>();
    state->request = std::move(made);
    state->channels = std::move(channels);
    trainers_.push_back(state);
    return std::make_unique<FakeTrainer>(state);
  }};
};

}  // namespace moescope::app
