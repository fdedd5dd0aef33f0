#include "core/train/trainer_thread.h"

#include <gtest/gtest.h>

#include "tests/core/train/thread_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using bus::RunState;
using test::ThreadHarness;

const std::vector<std::string> kLong = {"train.steps=1000000"};

TEST(TrainerThread, RunsToItsEndAndGoesOnAnswering) {
  ThreadHarness run(test::tiny_config("switch", {"train.steps=12"}));
  ASSERT_TRUE(run.wait_for(RunState::kFinished));
  EXPECT_EQ(run.status().step, 12);
  EXPECT_EQ(run.channels->frames.drain().size(), 12U);
  EXPECT_FALSE(run.thread->ended());
  const bus::Reply sentence = run.send(test::with_text(CommandKind::kProbeSentence, "hello"));
  EXPECT_TRUE(sentence.done);
  ASSERT_TRUE(sentence.sentence.has_value());
  EXPECT_EQ(sentence.sentence->tokens.size(), 5U);
  EXPECT_EQ(sentence.sentence->tokens[0].expert_LK.size(), 2U);
  EXPECT_FALSE(sentence.sentence->continuation.empty());
  EXPECT_EQ(run.send(test::command(CommandKind::kResume)).text, "the run is finished");
  run.thread->request_stop();
  EXPECT_TRUE(run.wait_until([&] { return run.thread->ended(); }));
}

TEST(TrainerThread, StartsPausedStepsExactlyAndResumes) {
  ThreadHarness run(test::tiny_config("switch", kLong), test::tiny_hooks(), std::make_shared<bus::Channels>(), true);
  ASSERT_TRUE(run.wait_for(RunState::kPaused));
  EXPECT_EQ(run.status().step, 0);
  EXPECT_EQ(run.send(test::counted(CommandKind::kStep, 3)).text, "running 3 steps");
  ASSERT_TRUE(run.wait_until([&] { return run.status().state == RunState::kPaused && run.status().step == 3; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(run.status().step, 3);
  EXPECT_EQ(run.send(test::counted(CommandKind::kStep, 0)).text, "step needs a number of steps, 1 or more");
  EXPECT_EQ(run.send(test::command(CommandKind::kPause)).text, "already paused");
  EXPECT_TRUE(run.send(test::command(CommandKind::kResume)).done);
  ASSERT_TRUE(run.wait_until([&] { return run.status().step > 5; }));
  EXPECT_EQ(run.send(test::command(CommandKind::kResume)).text, "already running");
}

TEST(TrainerThread, PausesAtTheNextStepBoundary) {
  ThreadHarness run(test::tiny_config("switch", kLong));
  ASSERT_TRUE(run.wait_until([&] { return run.status().step > 3; }));
  const std::int64_t asked_at = run.status().step;
  const bus::Reply reply = run.send(test::command(CommandKind::kPause));
  EXPECT_LE(asked_at, reply.step);
  EXPECT_EQ(run.status().step, reply.step) << "not one step after the reply";
  EXPECT_EQ(run.status().state, RunState::kPaused);
}

TEST(TrainerThread, CommandsApplyWhilePausedAndTheHeartBeats) {
  ThreadHarness run(test::tiny_config("switch", kLong), test::tiny_hooks(), std::make_shared<bus::Channels>(), true);
  ASSERT_TRUE(run.wait_for(RunState::kPaused));
  EXPECT_TRUE(run.send(test::set("train.lr", 0.005)).done);
  EXPECT_TRUE(run.send(test::on_layer(CommandKind::kFreezeRouter, 0)).done);
  const std::uint64_t beat = run.status().heartbeat;
  EXPECT_TRUE(run.wait_until([&] { return run.status().heartbeat > beat; }));
}

TEST(TrainerThread, StopEndsTheRunAtTheNextBoundary) {
  ThreadHarness run(test::tiny_config("switch", kLong));
  ASSERT_TRUE(run.wait_until([&] { return run.status().step > 3; }));
  EXPECT_EQ(run.send(test::command(CommandKind::kStop)).text, "stopping");
  EXPECT_TRUE(run.wait_for(RunState::kFinished));
  EXPECT_TRUE(run.channels->replies.drain().empty());
}

TEST(TrainerThread, CanBeDestroyedAtAnyTime) {
  for (int i = 0; i < 8; ++i) {
    ThreadHarness run(test::tiny_config("switch", kLong));
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * i));
  }
}

TEST(TrainerThread, EveryKindOfCommandIsAnswered) {
  ThreadHarness run(test::tiny_config("smoe", kLong), test::tiny_hooks(), std::make_shared<bus::Channels>(), true);
  ASSERT_TRUE(run.wait_for(RunState::kPaused));
  for (int kind = 0; kind <= static_cast<int>(CommandKind::kWatch); ++kind) {
    if (static_cast<CommandKind>(kind) == CommandKind::kStop) continue;
    const bus::Reply reply = run.send(test::command(static_cast<CommandKind>(kind)));
    EXPECT_TRUE(reply.done || !reply.text.empty()) << bus::kind_name(reply.command.kind);
  }
  EXPECT_TRUE(run.send(test::command(CommandKind::kStop)).done);
}

}  // namespace
}  // namespace moescope
