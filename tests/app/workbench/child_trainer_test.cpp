// A run in the real training process: the same bits as in this one, and whatever ends the process is survived.
#include "app/workbench/child_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <bit>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "app/workbench/child_process.h"
#include "app/workbench/child_request.h"
#include "app/workbench/real_trainer.h"
#include "core/base/log.h"
#include "core/base/seed.h"
#include "core/moe/method.h"
#include "core/record/checkpoint_files.h"
#include "core/record/run_reader.h"
#include "core/telemetry/frame_bytes.h"
#include "core/telemetry/frame_difference.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::app {
namespace {

using bus::CommandKind;
using bus::RunState;
using record::content_of;
using record::ScratchFolder;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

/// A run and everything it told.
class Told {
 public:
  Told(const StartTrainer& start, train::RunRequest request) : trainer_(start(std::move(request), channels_)) {}

  void pump() {
    for (telemetry::FramePtr& frame : channels_->frames.drain()) frames.push_back(std::move(frame));
    for (bus::Reply& reply : channels_->replies.drain()) replies.push_back(std::move(reply));
  }
  /// False after a minute.
  bool wait_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 30000; ++i) {
      pump();
      if (holds()) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }
  bus::RunStatus status() const { return channels_->status.read(); }
  std::int64_t last_step() const { return frames.empty() ? 0 : frames.back()->step; }
  bus::Reply send(bus::Command command) {
    command.seq = ++seq_;
    channels_->commands.try_push(command);
    const std::size_t before = replies.size();
    EXPECT_TRUE(wait_until([&] { return replies.size() > before; })) << bus::describe(command);
    return replies.size() > before ? replies.back() : bus::Reply{};
  }
  /// Until it has reached its end.
  void finish() {
    EXPECT_TRUE(wait_until([&] {
      return trainer_->ended() || status().state == RunState::kFinished || status().state == RunState::kFailed;
    }));
    trainer_->request_stop();
    EXPECT_TRUE(wait_until([&] { return trainer_->ended(); }));
    pump();
  }
  TrainerHandle& trainer() { return *trainer_; }
  int process_id() { return dynamic_cast<ChildTrainer&>(*trainer_).process_id(); }
  bus::Channels& channels() { return *channels_; }

  std::vector<telemetry::FramePtr> frames;
  std::vector<bus::Reply> replies;

 private:
  std::shared_ptr<bus::Channels> channels_ = std::make_shared<bus::Channels>();
  std::unique_ptr<TrainerHandle> trainer_;
  std::uint64_t seq_ = 0;
};

class ChildTraining : public testing::Test {
 protected:
  ChildTraining() { log::set_console(false); }

  train::RunRequest request(const std::string& folder, int steps = 60) const {
    train::RunRequest request;
    auto config = config::read_run_config(
        "name = \"tiny\"\n[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n"
        "[model]\nnum_layers = 1\nd_model = 16\nnum_heads = 2\ncontext = 16\n"
        "[moe]\nmethod = \"switch\"\nnum_experts = 4\nexpert_hidden = 16\n"
        "[train]\nbatch_size = 2\nthreads = 1\nvalidate_every = 20\nsteps = " +
            std::to_string(steps) + "\n",
        "tiny.toml", moe::method_catalogue());
    MOESCOPE_ASSERT(config.has_value(), "the test's configuration is good");
    request.config = std::move(*config);
    request.folder = scratch_ / folder;
    request.cache_folder = scratch_ / "cache";
    request.measured = true;  // keeps the spacing of probes, however loaded the machine is
    return request;
  }

  ScratchFolder scratch_;
};

/// What was watched; how long it took is nobody's bits.
std::vector<std::string> watched_bits(const telemetry::TelemetryFrame& frame) {
  std::vector<std::string> parts{frame.probe ? telemetry::probe_bytes(*frame.probe) : "none", "", ""};
  for (const auto& space : frame.spaces) parts[1] += telemetry::space_bytes(*space);
  parts[2] = telemetry::tokens_bytes(frame.step, frame.expert_tokens);
  for (const telemetry::Event& event : frame.events) parts.push_back(event.text);
  return parts;
}

void expect_same(const Told& a, const Told& b) {
  ASSERT_EQ(a.frames.size(), b.frames.size());
  for (std::size_t i = 0; i < a.frames.size(); ++i) {
    ASSERT_EQ(a.frames[i]->step, b.frames[i]->step);
    ASSERT_EQ(telemetry::difference(*a.frames[i], *b.frames[i]), "") << "step " << a.frames[i]->step;
    const auto here = watched_bits(*a.frames[i]), there = watched_bits(*b.frames[i]);
    ASSERT_EQ(here.size(), there.size());
    for (std::size_t part = 0; part < here.size(); ++part)
      ASSERT_TRUE(here[part] == there[part]) << "part " << part << " of step " << a.frames[i]->step << ": "
                                             << here[part].size() << " and " << there[part].size() << " bytes";
  }
}

void expect_same_weights(const std::string& a, const std::string& b) {
  EXPECT_TRUE(content_of(a + "/final.safetensors") == content_of(b + "/final.safetensors"));
  EXPECT_FALSE(content_of(a + "/final.safetensors").empty());
}

TEST_F(ChildTraining, BitsAreThoseOfARunInThisProcess) {
  Told here(start_real_trainer, request("here"));
  here.finish();
  Told apart(start_child_trainer, request("apart"));
  apart.finish();
  EXPECT_EQ(apart.status().state, RunState::kFinished) << apart.status().failure.message;
  ASSERT_EQ(here.frames.size(), 60U);
  expect_same(here, apart);
  expect_same_weights(scratch_ / "here", scratch_ / "apart");
}

TEST_F(ChildTraining, CommandsAndRepliesPass) {
  std::vector<std::vector<std::string>> told;
  std::vector<std::unique_ptr<Told>> runs;
  for (const StartTrainer& start : {StartTrainer(start_real_trainer), StartTrainer(start_child_trainer)}) {
    train::RunRequest paused = request("run" + std::to_string(runs.size()));
    paused.start_paused = true;
    Told& run = *runs.emplace_back(std::make_unique<Told>(start, std::move(paused)));
    ASSERT_TRUE(run.wait_until([&] { return run.status().state == RunState::kPaused; }));
    const auto command = [](CommandKind kind) {
      bus::Command made;
      made.kind = kind;
      return made;
    };
    std::vector<std::string>& lines = told.emplace_back();
    const auto send = [&](const bus::Command& sent) {
      const bus::Reply reply = run.send(sent);
      lines.push_back(bus::describe(reply.command) + ": " + (reply.done ? "" : "refused: ") + reply.text);
      return reply;
    };
    bus::Command rate = command(CommandKind::kSet);
    rate.key = "train.lr";
    rate.value = 0.001;
    EXPECT_TRUE(send(rate).done);
    bus::Command wrong = rate;
    wrong.key = "train.nothing";
    EXPECT_FALSE(send(wrong).done);
    bus::Command freeze = command(CommandKind::kFreezeRouter);
    freeze.layer = 0;
    EXPECT_TRUE(send(freeze).done);
    bus::Command steps = command(CommandKind::kStep);
    steps.count = 5;
    EXPECT_TRUE(send(steps).done);
    ASSERT_TRUE(run.wait_until([&] { return run.last_step() == 5 && run.status().state == RunState::kPaused; }));
    bus::Command sentence = command(CommandKind::kProbeSentence);
    sentence.text = "a b c";
    const bus::Reply answer = send(sentence);
    ASSERT_TRUE(answer.sentence);
    EXPECT_EQ(answer.sentence->sentence, "a b c");
    EXPECT_FALSE(answer.sentence->tokens.empty());
    bus::Command watch = command(CommandKind::kWatch);
    watch.wants.space_layers = 1;
    watch.wants.expert_tokens = true;
    run.channels().commands.try_push(watch);
    run.channels().commands.try_push(command(CommandKind::kResume));
    run.finish();
    EXPECT_EQ(run.status().state, RunState::kFinished);
  }
  EXPECT_EQ(told[0], told[1]);
  expect_same(*runs[0], *runs[1]);
}

TEST_F(ChildTraining, CheckpointsAreToldAsTheyComeAndGo) {
  train::RunRequest made = request("run", 50);
  made.config.record.checkpoint_every = 10;
  made.config.record.keep_last = 2;
  Told run(start_child_trainer, std::move(made));
  ASSERT_TRUE(run.wait_until([&] { return !run.status().checkpoints.empty() || run.trainer().ended(); }));
  EXPECT_EQ(run.status().checkpoints.front() % 10, 0);
  run.finish();
  const std::vector<std::int64_t> kept{30, 40, 50};
  EXPECT_EQ(run.status().checkpoints, kept);
  const auto reader = record::RunReader::open(scratch_ / "run");
  ASSERT_TRUE(reader) << format(reader.error());
  EXPECT_EQ(record::steps_to_start_from((*reader)->checkpoints()), kept);
}

TEST_F(ChildTraining, AStopEndsTheRunAtItsNextStep) {
  Told run(start_child_trainer, request("run", 1000000));
  ASSERT_TRUE(run.wait_until([&] { return run.last_step() >= 5; }));
  const int id = run.process_id();
  EXPECT_GT(id, 0);
  run.trainer().request_stop();
  ASSERT_TRUE(run.wait_until([&] { return run.trainer().ended(); }));
  EXPECT_EQ(run.status().state, RunState::kFinished) << run.status().failure.message;
  run.pump();
  EXPECT_EQ(run.status().step, run.last_step()) << "every frame came";
  EXPECT_EQ(::kill(id, 0), -1) << "the process is gone";
}

TEST_F(ChildTraining, AConfigurationThatCannotBePreparedFailsAsItDoesHere) {
  std::vector<std::string> told;
  for (const StartTrainer& start : {StartTrainer(start_real_trainer), StartTrainer(start_child_trainer)}) {
    train::RunRequest broken = request("");
    broken.folder.clear();
    broken.config.data.corpus = scratch_ / "nothing.txt";
    Told run(start, std::move(broken));
    run.finish();
    EXPECT_EQ(run.status().state, RunState::kFailed);
    told.push_back(run.status().failure.phase + ": " + run.status().failure.message);
  }
  EXPECT_THAT(told[0], StartsWith("prepare: "));
  EXPECT_EQ(told[0], told[1]);
}

TEST_F(ChildTraining, AStoppedProcessGoesOnToTheSameBits) {
  Told here(start_real_trainer, request("here"));
  here.finish();
  Told apart(start_child_trainer, request("apart"));
  ASSERT_TRUE(apart.wait_until([&] { return apart.last_step() >= 3 || apart.trainer().ended(); }));
  ASSERT_GT(apart.process_id(), 0);  // −1 would mean every process there is
  ::kill(apart.process_id(), SIGSTOP);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_FALSE(apart.trainer().ended());
  ASSERT_GT(apart.process_id(), 0);  // −1 would mean every process there is
  ::kill(apart.process_id(), SIGCONT);
  apart.finish();
  EXPECT_EQ(apart.status().state, RunState::kFinished);
  expect_same(here, apart);
}

TEST_F(ChildTraining, KilledAtAnyTimeTheRunIsRecordedUpToTheLastBatch) {
  SeededWords random(2024);
  for (int round = 0; round < 5; ++round) {
    const std::string folder = "run" + std::to_string(round);
    Told run(start_child_trainer, request(folder, 1000000));
    ASSERT_TRUE(run.wait_until([&] { return run.last_step() > 0; }));
    const auto until = std::chrono::steady_clock::now() + milliseconds(random.below(600));
    run.wait_until([&] { return std::chrono::steady_clock::now() >= until; });
    ASSERT_GT(run.process_id(), 0);  // −1 would mean every process there is
    ::kill(run.process_id(), SIGKILL);
    ASSERT_TRUE(run.wait_until([&] { return run.trainer().ended(); }));
    run.pump();
    EXPECT_EQ(run.status().state, RunState::kFailed);
    EXPECT_EQ(run.status().failure.message,
              "the training process was killed by signal 9 (out of memory?). The run is "
              "recorded in " +
                  (scratch_ / folder) + " and can be continued");
    const auto reader = record::RunReader::open(scratch_ / folder);
    ASSERT_TRUE(reader) << format(reader.error());
    constexpr std::int64_t kBatch = 64;
    EXPECT_GE((*reader)->last_step(), run.last_step() - kBatch);
    const auto recorded = (*reader)->frames(1, run.last_step());
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      ASSERT_EQ(recorded[i]->step, static_cast<std::int64_t>(i) + 1) << "no step is missing";
    }
    EXPECT_THAT((*reader)->damages(), testing::IsEmpty());
  }
}

TEST_F(ChildTraining, ARunWhoseProcessWasKilledIsContinuedToTheSameBits) {
  Told here(start_real_trainer, request("here", 400));
  here.finish();
  {
    Told run(start_child_trainer, request("apart", 400));
    ASSERT_TRUE(run.wait_until([&] { return run.last_step() >= 100; }));
    ASSERT_GT(run.process_id(), 0);  // −1 would mean every process there is
    ::kill(run.process_id(), SIGKILL);
    run.finish();
    ASSERT_EQ(run.status().state, RunState::kFailed);
  }
  train::RunRequest again = request("apart", 400);
  again.origin = train::Origin{train::Origin::Use::kContinue, again.folder};
  Told run(start_child_trainer, std::move(again));
  run.finish();
  EXPECT_EQ(run.status().state, RunState::kFinished) << run.status().failure.message;
  const auto reader_here = record::RunReader::open(scratch_ / "here");
  const auto reader_apart = record::RunReader::open(scratch_ / "apart");
  ASSERT_TRUE(reader_here && reader_apart);
  EXPECT_EQ((*reader_apart)->last_step(), 400);
  expect_same_weights(scratch_ / "here", scratch_ / "apart");
}

/// `serve` itself, without a window's side.
class Serving : public ChildTraining {
 protected:
  void start() {
    const std::string program =
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "moescope-cli").string();
    const Status started = process_.start(program, {"serve", "--fd", "3"});
    ASSERT_TRUE(started) << format(started.error());
  }
  std::string bytes(const train::RunRequest& sent) const {
    return request_bytes(sent, moe::find_method(sent.config.moe.method)->info);
  }
  int exit_code() {
    for (int i = 0; i < 30000; ++i) {
      if (process_.pipe().is_open()) process_.pipe().exchange();
      process_.read_errors(errors_);
      if (const auto status = process_.reap()) return WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return -2;
  }
  ChildProcess process_;
  std::vector<std::string> errors_;
};

TEST_F(Serving, AWindowThatGoesStopsTheRunWithEverythingRecorded) {
  start();
  process_.pipe().send(MessageKind::kRequest, bytes(request("run", 1000000)));
  std::int64_t seen = 0;
  for (int i = 0; i < 30000 && seen < 20; ++i) {
    ASSERT_TRUE(process_.pipe().exchange());
    for (auto message = process_.pipe().next(); message && *message; message = process_.pipe().next())
      if (std::string_view body = (*message)->body; (*message)->kind == MessageKind::kFrame)
        seen = (*telemetry::read_frame(body))->step;
    std::this_thread::sleep_for(milliseconds(2));
  }
  process_.pipe().close();
  EXPECT_EQ(exit_code(), 0);
  const auto reader = record::RunReader::open(scratch_ / "run");
  ASSERT_TRUE(reader) << format(reader.error());
  EXPECT_GE((*reader)->last_step(), seen);
  EXPECT_FALSE((*reader)->being_written());
}

TEST_F(Serving, WhatIsNoRunIsRefused) {
  start();
  process_.pipe().send(MessageKind::kRequest, "nonsense");
  EXPECT_EQ(exit_code(), 2);
  const auto message = process_.pipe().next();
  ASSERT_TRUE(message && *message);
  EXPECT_THAT((*message)->body, HasSubstr("this is not the description of a run"));
}

TEST_F(Serving, ACommandBeforeARunIsRefused) {
  start();
  process_.pipe().send(MessageKind::kStop, "");
  EXPECT_EQ(exit_code(), 2);
  EXPECT_THAT(process_.last_error(), HasSubstr("no run was sent"));
}

}  // namespace
}  // namespace moescope::app
