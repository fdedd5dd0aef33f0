// A training process that misbehaves in every way, played by the shell: the window's side notices, says so, hangs
// never and leaves nothing behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <functional>
#include <sstream>
#include <thread>

#include "app/workbench/child_protocol.h"
#include "app/workbench/child_trainer.h"
#include "core/base/log.h"
#include "core/bus/command_json.h"
#include "core/telemetry/frame_bytes.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::app {
namespace {

using bus::RunState;
using record::content_of;
using record::fill;
using record::ScratchFolder;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

telemetry::RunInfo run_info() {
  telemetry::RunInfo info;
  info.name = "run";
  info.total_steps = 1000;
  info.num_layers = 1;
  info.num_experts = 2;
  return info;
}

telemetry::TelemetryFrame frame_of(std::int64_t step) {
  telemetry::TelemetryFrame frame;
  frame.step = step;
  frame.losses = {{"task", 0.1F}};
  frame.layers.resize(1);
  frame.layers[0].load_E = {3, 4};
  frame.layers[0].dropped_E = {0, 0};
  frame.controls.resize(1);
  return frame;
}

std::string status_message(RunState state, std::int64_t step, std::uint64_t heartbeat = 1) {
  bus::RunStatus status;
  status.state = state;
  status.step = step;
  status.heartbeat = heartbeat;
  return encode(MessageKind::kStatus, bus::to_json(status));
}

std::string opening() { return encode(MessageKind::kRunInfo, telemetry::run_info_bytes(run_info())); }

class ChildFaults : public testing::Test {
 protected:
  ChildFaults() { log::set_console(false); }

  /// `script` speaks on descriptor 3; $1 is a file that holds `words`.
  ChildTrainer& start(const std::string& script, const std::string& words = {}) {
    fill(folder_ / "words", words);
    options_.program = "/bin/sh";
    options_.arguments = {"-c", script, "sh", folder_ / "words"};
    channels_ = std::make_shared<bus::Channels>();
    trainer_ = std::make_unique<ChildTrainer>("a request", "runs/x", channels_, options_);
    return *trainer_;
  }

  bus::RunStatus status() const { return channels_->status.read(); }

  static bool wait_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 10000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }

  /// Why the run failed, once it has.
  std::string failure() {
    if (!wait_until([this] { return trainer_->ended(); })) return "it never ended";
    if (status().state != RunState::kFailed) return "it did not fail";
    return status().failure.phase + ": " + status().failure.message;
  }

  ScratchFolder folder_;
  ChildOptions options_;
  std::shared_ptr<bus::Channels> channels_;
  std::unique_ptr<ChildTrainer> trainer_;
};

TEST_F(ChildFaults, AProcessThatEndsByItselfIsToldWithItsLastWords) {
  start("cat \"$1\" >&3; echo one >&2; echo; echo 'CUDA error: device-side assert' >&2; exit 3",
        opening() + status_message(RunState::kRunning, 120));
  EXPECT_EQ(failure(),
            "process: the training process ended with exit code 3; its last words were: CUDA error: device-side "
            "assert. The run is recorded in runs/x and can be continued");
  EXPECT_EQ(status().failure.step, 120);
  EXPECT_EQ(channels_->runs.drain().size(), 1U) << "what it sent before is kept";
}

TEST_F(ChildFaults, AProcessThatIsKilledIsToldWithItsSignal) {
  start("kill -KILL $$");
  EXPECT_EQ(failure(), "process: the training process was killed by signal 9 (out of memory?)");
  start("cat \"$1\" >&3; kill -ABRT $$", status_message(RunState::kRunning, 3));
  EXPECT_EQ(failure(),
            "process: the training process was killed by signal 6 (Aborted). The run is recorded in runs/x and can be "
            "continued");
}

TEST_F(ChildFaults, ARunWithoutAFolderCannotBeContinuedAndSaysSo) {
  options_.program = "/bin/false";
  channels_ = std::make_shared<bus::Channels>();
  trainer_ = std::make_unique<ChildTrainer>("a request", "", channels_, options_);
  EXPECT_THAT(failure(), HasSubstr("ended with exit code 1. Nothing of this run was recorded, since it has no folder"));
}

TEST_F(ChildFaults, AProgramThatIsNotThereIsToldByItsPath) {
  options_.program = folder_ / "moescope-cli";
  channels_ = std::make_shared<bus::Channels>();
  trainer_ = std::make_unique<ChildTrainer>("a request", "runs/x", channels_, options_);
  EXPECT_EQ(failure(), "process: the training process '" + (folder_ / "moescope-cli") +
                           "' cannot be started: No such file or directory");
}

TEST_F(ChildFaults, WhatIsNoMessageEndsTheRun) {
  options_.patience = milliseconds(50);
  start("echo 'Traceback (most recent call last):' >&3; exec sleep 100");
  EXPECT_EQ(failure(),
            "process: the training process was let go because it sent something that is no message of a training "
            "process (are both programs of the same build?); it was killed by signal 15 (Terminated)");
  start("cat \"$1\" >&3; exec sleep 100", "MoE\x02????");
  EXPECT_THAT(failure(), HasSubstr("it sent messages of version 2 instead of version 1"));
}

TEST_F(ChildFaults, AMessageThatDoesNotFitEndsTheRun) {
  options_.patience = milliseconds(50);
  telemetry::RunInfo impossible = run_info();
  impossible.num_experts = -1;
  const std::pair<std::string, const char*> cases[] = {
      {encode(MessageKind::kStatus, "{"), "status"},
      {encode(MessageKind::kReply, "[]"), "reply"},
      {encode(MessageKind::kRunInfo, "?"), ""},
      {encode(MessageKind::kFrame, telemetry::frame_bytes(frame_of(1))), "a frame before its run"},
      {encode(MessageKind::kRunInfo, telemetry::run_info_bytes(impossible)), "it has -1 experts"},
      {encode(MessageKind::kDropped, "-1"), "a count of dropped frames that is none"},
      {encode(MessageKind::kCommand, "{}"), "a message that only a window sends"}};
  for (const auto& [words, why] : cases) {
    start("cat \"$1\" >&3; exec sleep 100", words);
    EXPECT_THAT(failure(), HasSubstr(std::string("was let go because it sent "))) << why;
    EXPECT_THAT(failure(), HasSubstr(why));
  }
}

TEST_F(ChildFaults, AFrameThatDoesNotFitItsRunIsLeftOutAndCounted) {
  telemetry::TelemetryFrame misfit = frame_of(1);
  misfit.layers[0].load_E.resize(70);
  start("cat \"$1\" >&3", opening() + encode(MessageKind::kFrame, telemetry::frame_bytes(misfit)) +
                              encode(MessageKind::kFrame, telemetry::frame_bytes(frame_of(2))));
  ASSERT_TRUE(wait_until([this] { return trainer_->ended(); }));
  const auto frames = channels_->frames.drain();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames.front()->step, 2);
  EXPECT_EQ(channels_->frames.dropped(), 1U);
}

TEST_F(ChildFaults, AStoppedProcessIsSilentAndNotFailedAndMayComeBack) {
  options_.silence = milliseconds(100);
  ChildTrainer& trainer = start("cat \"$1\" >&3; kill -STOP $$; cat \"$1\" >&3; exec sleep 100",
                                opening() + status_message(RunState::kRunning, 5));
  ASSERT_TRUE(wait_until([this] { return status().activity == "no sign of life for 0 s"; }));
  EXPECT_EQ(status().state, RunState::kRunning);
  EXPECT_EQ(status().step, 5);
  const std::uint64_t heartbeat = status().heartbeat;
  ASSERT_TRUE(wait_until([this] { return status().activity == "no sign of life for 1 s"; })) << "it counts";
  EXPECT_EQ(status().heartbeat, heartbeat) << "to say that nothing lives is no heartbeat";
  EXPECT_FALSE(trainer.ended());
  ASSERT_GT(trainer.process_id(), 0);  // −1 would mean every process there is
  ::kill(trainer.process_id(), SIGCONT);
  EXPECT_TRUE(wait_until([this] { return status().activity.empty(); })) << "it speaks again";
  ASSERT_GT(trainer.process_id(), 0);  // −1 would mean every process there is
  ::kill(trainer.process_id(), SIGKILL);
  EXPECT_THAT(failure(), HasSubstr("was killed by signal 9 (out of memory?)"));
}

TEST_F(ChildFaults, CommandsForAStoppedProcessAreRefusedOnceTheQueuesAreFull) {
  options_.patience = milliseconds(20);
  start("kill -STOP $$; exec sleep 100");
  bus::Command command;
  command.kind = bus::CommandKind::kProbeSentence;
  command.text = std::string(4000, 'w');
  int taken = 0;
  for (int refused = 0; refused < 20 && taken < 10000; std::this_thread::sleep_for(milliseconds(1)))
    channels_->commands.try_push(command) ? ++taken : ++refused;
  EXPECT_LT(taken, 10000);
}

TEST_F(ChildFaults, AProcessThatDoesNotStopIsKilled) {
  options_.patience = milliseconds(100);
  ChildTrainer& trainer =
      start("trap '' TERM; cat \"$1\" >&3; while :; do sleep 0.1; done", status_message(RunState::kRunning, 9));
  ASSERT_TRUE(wait_until([this] { return status().state == RunState::kRunning; }));
  trainer.request_stop();
  EXPECT_EQ(failure(),
            "process: the training process did not stop when it was asked to and was killed. The run is recorded in "
            "runs/x and "
            "can be continued");
}

TEST_F(ChildFaults, AProcessThatEndsAfterItsRunHasNotFailed) {
  start("cat \"$1\" >&3; kill -SEGV $$", status_message(RunState::kFinished, 1000) + encode(MessageKind::kBye, ""));
  ASSERT_TRUE(wait_until([this] { return trainer_->ended(); }));
  EXPECT_EQ(status().state, RunState::kFinished);
}

TEST_F(ChildFaults, FramesForASlowWindowGoOldestFirstAndAreCounted) {
  std::string words = opening();
  for (int step = 1; step <= 1000; ++step) words += encode(MessageKind::kFrame, telemetry::frame_bytes(frame_of(step)));
  words += encode(MessageKind::kDropped, "7") + encode(MessageKind::kDropped, "10");
  start("cat \"$1\" >&3", words);
  ASSERT_TRUE(wait_until([this] { return trainer_->ended(); }));
  const auto frames = channels_->frames.drain();
  ASSERT_EQ(frames.size(), 256U);
  EXPECT_EQ(frames.front()->step, 745);
  EXPECT_EQ(frames.back()->step, 1000);
  EXPECT_EQ(channels_->frames.dropped(), 744U + 10U);
}

TEST_F(ChildFaults, TheProcessInheritsOneDescriptorAndHasAGroupOfItsOwn) {
  const int open = ::open("/dev/null", O_RDONLY);  // NOLINT: on purpose without O_CLOEXEC
  start("exec > \"$1\"; ls /proc/$$/fd; cut -d' ' -f5 /proc/$$/stat; echo $$");
  ASSERT_TRUE(wait_until([this] { return trainer_->ended(); }));
  ::close(open);
  std::istringstream told(content_of(folder_ / "words"));
  for (const char* descriptor : {"0", "1", "2", "3"}) {
    std::string line;
    std::getline(told, line);
    EXPECT_EQ(line, descriptor);
  }
  int group = 0, id = -1;
  told >> group >> id;
  EXPECT_EQ(group, id);
}

TEST_F(ChildFaults, DestroyingAWindowEndsItsProcess) {
  options_.patience = milliseconds(50);
  const int id = [&] {
    ChildTrainer& trainer = start("trap '' TERM; while :; do sleep 0.1; done");
    EXPECT_TRUE(wait_until([&] { return trainer.process_id() > 0; }));
    return trainer.process_id();
  }();
  trainer_.reset();
  EXPECT_EQ(::kill(id, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(ChildFaults, FiftyStartsLeaveNoDescriptorAndNoZombie) {
  start("exit 0");
  EXPECT_THAT(failure(), HasSubstr("ended with exit code 0"));
  trainer_.reset();
  const std::size_t before = open_descriptors();
  const char* const ways[] = {"exit 0", "kill -KILL $$", "echo garbage >&3", "exec 3>&-; exit 1", "echo x >&2"};
  for (int i = 0; i < 50; ++i) {
    start(ways[i % 5]);
    if (i % 3 == 0) {
      trainer_.reset();  // at any moment of its life
    } else {
      EXPECT_THAT(failure(), HasSubstr("training process"));
    }
  }
  trainer_.reset();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace moescope::app
