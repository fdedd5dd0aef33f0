// The life of a run as the programs see it: every state change, in every awkward order.
#include <algorithm>

#include "tests/app/workbench/fake_trainer.h"

namespace moescope::app {
namespace {

using bus::CommandKind;
using bus::RunState;

TEST_F(WithFakeTrainer, NothingRunsAtFirst) {
  EXPECT_FALSE(bench_.active());
  EXPECT_FALSE(bench_.pump());
  EXPECT_EQ(bench_.status().state, RunState::kIdle);
  EXPECT_EQ(bench_.config(), nullptr);
  EXPECT_EQ(bench_.sentence(), nullptr);
  EXPECT_EQ(bench_.dropped_frames(), 0U);
  EXPECT_FALSE(bench_.undo());
  EXPECT_FALSE(bench_.post(command(CommandKind::kPause)));
  EXPECT_EQ(bench_.last_refusal(), "nothing runs");
  bench_.stop();
}

TEST_F(WithFakeTrainer, EveryStateOfTheTrainerIsSeenAndReportedOnce) {
  bench_.start(request("run"));
  EXPECT_TRUE(bench_.active());
  EXPECT_EQ(bench_.config()->top.name, "run");
  for (const RunState state : {RunState::kPaused, RunState::kRunning, RunState::kPaused, RunState::kStopping}) {
    trainer().publish(state);
    EXPECT_TRUE(bench_.pump());
    EXPECT_EQ(bench_.status().state, state);
    EXPECT_FALSE(bench_.pump()) << "nothing new";
  }
  trainer().end(RunState::kFinished);
  EXPECT_TRUE(bench_.pump());
  EXPECT_EQ(bench_.status().state, RunState::kFinished);
  EXPECT_FALSE(bench_.active());
  EXPECT_TRUE(trainer().destroyed);
  EXPECT_FALSE(bench_.pump());
}

TEST_F(WithFakeTrainer, FramesAndRunsReachTheHistory) {
  bench_.start(request("run"));
  trainer().announce("run");
  trainer().frame(1);
  trainer().frame(2);
  EXPECT_TRUE(bench_.pump());
  ASSERT_NE(bench_.history().run(), nullptr);
  EXPECT_EQ(bench_.history().run()->name, "run");
  EXPECT_EQ(bench_.history().latest()->step, 2);
  for (int step = 3; step < 303; ++step) trainer().frame(step);
  EXPECT_EQ(bench_.dropped_frames(), 300U - 256U);
}

TEST_F(WithFakeTrainer, CheckpointsComeAndGoAndStayWhenTheRunIsOver) {
  start_running();
  EXPECT_TRUE(bench_.checkpoints().empty());
  trainer().checkpoints({20});
  EXPECT_TRUE(bench_.pump()) << "something to show";
  EXPECT_EQ(bench_.checkpoints(), (std::vector<std::int64_t>{20}));
  trainer().checkpoints({40, 60});
  bench_.pump();
  EXPECT_EQ(bench_.checkpoints(), (std::vector<std::int64_t>{40, 60}));
  trainer().end(RunState::kFinished);
  bench_.pump();
  EXPECT_EQ(bench_.checkpoints(), (std::vector<std::int64_t>{40, 60}));
  bench_.start(request("second"));
  EXPECT_TRUE(bench_.checkpoints().empty());
  trainer().end(RunState::kFinished);
}

TEST_F(WithFakeTrainer, WhatHappenedInStepsTrainedAgainIsNotToldTwice) {
  const telemetry::Event notice{telemetry::Event::Kind::kNotice, 64, "the corpus is small", "lab"};
  train::RunRequest recorded = request("run");
  recorded.folder = "/runs/a";
  bench_.start(recorded);
  const auto announce = [&] {
    auto run = std::make_shared<telemetry::RunInfo>();
    run->id = "a";
    run->folder = "/runs/a";
    trainer().channels->runs.push_drop_oldest(std::move(run));
  };
  announce();
  trainer().frame(63);
  trainer().frame(64, 1, 0, {notice});
  trainer().end(RunState::kFailed);
  bench_.pump();
  ASSERT_EQ(bench_.history().events().size(), 1U);
  // Killed before steps 63 and 64 were recorded.
  recorded.origin = train::Origin{train::Origin::Use::kContinue, "/runs/a"};
  bench_.start(recorded);
  announce();
  trainer().frame(63);
  trainer().frame(64, 1, 0, {notice});
  trainer().frame(65);
  bench_.pump();
  EXPECT_EQ(bench_.history().series("task")->step, (std::vector<std::int64_t>{63, 64, 65}));
  EXPECT_EQ(bench_.history().events().size(), 1U);
  EXPECT_EQ(std::count_if(bench_.journal().begin(), bench_.journal().end(),
                          [&](const JournalEntry& entry) { return entry.what == notice.text; }),
            1);
  trainer().end(RunState::kFinished);
}

TEST_F(WithFakeTrainer, StartAndPauseAtOnce) {
  bench_.start(request("run"));
  const auto seq = bench_.post(command(CommandKind::kPause));
  ASSERT_TRUE(seq) << "the trainer still prepares, but takes commands";
  EXPECT_EQ(trainer().answer(true, 0, "none").seq, *seq);
  trainer().publish(RunState::kPaused);
  EXPECT_TRUE(bench_.pump());
  EXPECT_EQ(bench_.status().state, RunState::kPaused);
}

TEST_F(WithFakeTrainer, AFullQueueRefusesAndRecovers) {
  start_running();
  int accepted = 0;
  while (bench_.post(command(CommandKind::kPause))) ++accepted;
  EXPECT_EQ(accepted, 64);
  EXPECT_EQ(bench_.last_refusal(), "too many commands wait; try again in a moment");
  EXPECT_EQ(bench_.journal().size(), 64U) << "a refused command was never sent";
  trainer().answer(true, 1, "none");
  EXPECT_TRUE(bench_.post(command(CommandKind::kPause)));
  EXPECT_EQ(bench_.last_refusal(), "");
}

TEST_F(WithFakeTrainer, StopShowsAtOnceAndRefusesCommands) {
  start_running();
  bench_.stop();
  EXPECT_TRUE(trainer().stop_requested);
  EXPECT_EQ(bench_.status().state, RunState::kStopping);
  EXPECT_TRUE(bench_.active());
  EXPECT_FALSE(bench_.post(command(CommandKind::kPause)));
  EXPECT_EQ(bench_.last_refusal(), "the run is stopping");
  bench_.stop();  // twice does no harm
  trainer().end(RunState::kFinished);
  bench_.pump();
  EXPECT_FALSE(bench_.active());
}

TEST_F(WithFakeTrainer, StopWhileStarting) {
  bench_.start(request("run"));
  bench_.stop();
  EXPECT_EQ(bench_.status().state, RunState::kStopping);
  trainer().end(RunState::kFinished);
  bench_.pump();
  EXPECT_FALSE(bench_.active());
  EXPECT_EQ(bench_.status().state, RunState::kFinished);
}

TEST_F(WithFakeTrainer, StartWhileRunningStopsFirstAndNeverWaits) {
  start_running();
  trainer().frame(5);
  bench_.pump();
  bench_.start(request("second"));
  ASSERT_EQ(trainers_.size(), 1U);
  EXPECT_TRUE(trainers_[0]->stop_requested);
  EXPECT_EQ(bench_.status().state, RunState::kStopping);
  EXPECT_TRUE(bench_.active());
  bench_.pump();
  ASSERT_EQ(trainers_.size(), 1U) << "the first still ends";
  trainers_[0]->end(RunState::kFinished);
  EXPECT_TRUE(bench_.active());
  bench_.pump();
  ASSERT_EQ(trainers_.size(), 2U);
  EXPECT_TRUE(trainers_[0]->destroyed);
  EXPECT_EQ(trainers_[1]->request.config.top.name, "second");
  EXPECT_EQ(bench_.history().latest(), nullptr) << "the new run starts empty";
  EXPECT_TRUE(bench_.journal().empty());
  EXPECT_EQ(bench_.status().state, RunState::kIdle);
}

TEST_F(WithFakeTrainer, OfTwoStartsInARowTheLastWins) {
  start_running();
  bench_.start(request("second"));
  bench_.start(request("third"));
  trainers_[0]->end(RunState::kFinished);
  bench_.pump();
  ASSERT_EQ(trainers_.size(), 2U);
  EXPECT_EQ(trainers_[1]->request.config.top.name, "third");
}

TEST_F(WithFakeTrainer, StopCancelsAStartThatWaits) {
  start_running();
  bench_.start(request("second"));
  bench_.stop();
  trainers_[0]->end(RunState::kFinished);
  bench_.pump();
  EXPECT_EQ(trainers_.size(), 1U);
  EXPECT_FALSE(bench_.active());
}

TEST_F(WithFakeTrainer, AfterTheEndTheNextStartNeedsNoPump) {
  start_running();
  trainer().end(RunState::kFinished);
  bench_.start(request("second"));
  ASSERT_EQ(trainers_.size(), 2U);
  EXPECT_TRUE(trainers_[0]->destroyed);
}

TEST_F(WithFakeTrainer, FailureWhilePausing) {
  start_running();
  bench_.post(command(CommandKind::kPause));
  trainer().fail("backward", "out of memory", 17);
  bench_.pump();
  EXPECT_EQ(bench_.status().state, RunState::kFailed);
  trainer().ended = true;
  bench_.pump();
  ASSERT_EQ(bench_.journal().size(), 2U);
  EXPECT_TRUE(bench_.journal()[0].refused);
  EXPECT_FALSE(bench_.journal()[0].pending);
  EXPECT_EQ(bench_.journal()[0].effect, "the run ended first");
  EXPECT_EQ(bench_.journal()[1].what, "failed in backward");
  EXPECT_EQ(bench_.journal()[1].effect, "out of memory");
  EXPECT_EQ(bench_.journal()[1].step, 17);
  EXPECT_FALSE(bench_.active());
  bench_.start(request("again"));
  EXPECT_TRUE(bench_.active()) << "a new run can start";
}

TEST_F(WithFakeTrainer, FailureWhileStoppingIsNotHidden) {
  start_running();
  bench_.stop();
  trainer().fail("record", "no space", 3);
  EXPECT_EQ(bench_.status().state, RunState::kFailed);
}

TEST_F(WithFakeTrainer, WhatTheTrainerSentBeforeItEndedIsNotLost) {
  start_running();
  bench_.post(command(CommandKind::kStop));
  trainer().answer(true, 9, "stopped");
  trainer().frame(9);
  trainer().end(RunState::kFinished);
  bench_.pump();
  EXPECT_EQ(bench_.history().latest()->step, 9);
  EXPECT_EQ(bench_.journal().back().effect, "stopped");
}

TEST(Workbench, CloseWhileRunningDestroysTheTrainer) {
  auto state = std::make_shared<FakeState>();
  {
    Workbench bench([&](train::RunRequest, std::shared_ptr<bus::Channels> channels) {
      state->channels = std::move(channels);
      return std::make_unique<FakeTrainer>(state);
    });
    bench.start({});
  }
  EXPECT_TRUE(state->destroyed);
}

}  // namespace
}  // namespace moescope::app
