// Recorded runs on the bench: viewed, gone on with, forked.
#include <gtest/gtest.h>

#include "app/workbench/recorded_journal.h"
#include "app/workbench/run_loader.h"
#include "tests/app/workbench/fake_trainer.h"

namespace moescope::app {
namespace {

record::CommandRow row(std::int64_t number, std::int64_t step, double lr, bool done = true) {
  record::CommandRow made;
  made.number = number;
  made.apply_step = step;
  made.command.seq = 40 + static_cast<std::uint64_t>(number);
  made.command.kind = bus::CommandKind::kSet;
  made.command.key = "train.lr";
  made.command.value = lr;
  made.result = {done, done ? "changed" : "out of range"};
  return made;
}

LoadedRun loaded(const std::string& folder = "/runs/a") {
  LoadedRun run;
  run.folder = folder;
  run.facts.id = "a";
  auto info = std::make_shared<telemetry::RunInfo>();
  info->id = "a";
  info->folder = folder;
  run.history.start(info);
  for (std::int64_t step = 1; step <= 100; ++step) {
    auto frame = std::make_shared<telemetry::TelemetryFrame>();
    frame->step = step;
    frame->losses = {{"task", 2.0 - 0.01 * static_cast<double>(step)}};
    run.history.add(frame);
  }
  run.last_step = 100;
  run.checkpoints = {50, 100};
  run.commands = {row(1, 10, 0.003), row(2, 10, 7, false), row(3, 60, 0.001)};
  run.events = {{10, "command", "lr 0.004→0.003", "you"}, {40, "stage_switch", "switched to stage 2", "schedule"}};
  return run;
}

class RecordOnBench : public WithFakeTrainer {
 protected:
  static train::RunRequest from(train::Origin origin, std::string folder) {
    train::RunRequest made;
    made.origin = std::move(origin);
    made.folder = std::move(folder);
    return made;
  }
  void announce(const std::string& id, const std::string& folder, std::int64_t parent_step = 0) {
    auto run = std::make_shared<telemetry::RunInfo>();
    run->id = id;
    run->folder = folder;
    run->parent_step = parent_step;
    trainer().channels->runs.push_drop_oldest(std::move(run));
  }
};

TEST(RecordedJournal, HasCommandsWithTheirAnswersAndWhatHappenedByItself) {
  const std::vector<JournalEntry> journal = journal_of(loaded());
  ASSERT_EQ(journal.size(), 4U);
  EXPECT_EQ(journal[0].what, "set train.lr 0.003");
  EXPECT_EQ(journal[0].effect, "changed; Δ task −0.72 bits after 50 steps");
  EXPECT_TRUE(journal[1].refused);
  EXPECT_EQ(journal[2].what, "switched to stage 2");
  EXPECT_EQ(journal[3].effect, "changed") << "the stretch after it is not over";
}

TEST(RecordedJournal, IsCutWhereAForkLeaves) {
  std::vector<JournalEntry> journal = journal_of(loaded());
  cut_journal(journal, {train::Origin::Use::kFork, "/runs/a", 60});
  EXPECT_EQ(journal.size(), 3U) << "the command at step 60 acts after the fork";
  cut_journal(journal, {train::Origin::Use::kFork, "/runs/a", 60, 1});
  ASSERT_EQ(journal.size(), 2U);
  EXPECT_EQ(journal[0].number, 1);
}

TEST(RecordedJournal, ARunIsCalledByWhatTellsItApart) {
  EXPECT_EQ(short_run_name("runs/20261125T101502Z-two_stage-workshop-1a2b3c4d"), "1a2b3c4d · two_stage-workshop");
  EXPECT_EQ(short_run_name("/home/me/first"), "first");
  EXPECT_EQ(short_run_name("/home/me/my-first-try"), "my-first-try");
}

TEST(RecordedJournal, ValuesAreThoseAfterTheDoneCommands) {
  config::RunConfig config;
  EXPECT_EQ(std::get<double>(values_after(config, journal_of(loaded())).at("train.lr")), 0.001);
}

TEST_F(RecordOnBench, IsViewedWithoutATrainer) {
  bench_.view(loaded(), config::RunConfig{});
  EXPECT_TRUE(bench_.viewing());
  EXPECT_FALSE(bench_.active());
  EXPECT_EQ(bench_.status().state, bus::RunState::kFinished);
  EXPECT_EQ(bench_.status().step, 100);
  EXPECT_EQ(bench_.history().latest()->step, 100);
  EXPECT_FALSE(bench_.can_undo());
}

TEST_F(RecordOnBench, ReadOnItHasWhatWasRecordedSinceBehindWhatIsShown) {
  LoadedRun opened = loaded();
  opened.being_written = true;
  opened.damages = {"steps 3 to 9 cannot be read"};
  opened.obstacle = "run.db is cut off";
  bench_.view(std::move(opened), config::RunConfig{});
  LoadedRun rest = loaded();
  rest.history.start(std::make_shared<telemetry::RunInfo>(*rest.history.run()));
  for (const std::int64_t step : {101, 102}) {
    auto frame = std::make_shared<telemetry::TelemetryFrame>();
    frame->step = step;
    frame->losses = {{"task", 1.0}};
    rest.frames.push_back(std::move(frame));
  }
  rest.last_step = 102;
  rest.commands.push_back(row(4, 101, 0.0005));
  rest.checkpoints = {100, 102};
  rest.damages = {"steps 3 to 9 cannot be read", "step 101 cannot be read"};
  bench_.read_on(std::move(rest));
  EXPECT_TRUE(bench_.viewing());
  EXPECT_EQ(bench_.status().step, 102);
  EXPECT_FALSE(bench_.loaded()->being_written);
  EXPECT_EQ(bench_.loaded()->damages,
            (std::vector<std::string>{"steps 3 to 9 cannot be read", "step 101 cannot be read"}));
  EXPECT_EQ(bench_.loaded()->obstacle, "run.db is cut off") << "who reads on does not look again";
  EXPECT_EQ(bench_.history().series("task")->step.size(), 102U);
  EXPECT_EQ(bench_.checkpoints(), (std::vector<std::int64_t>{100, 102}));
  ASSERT_EQ(bench_.journal().size(), 5U) << "each row once";
  EXPECT_EQ(bench_.journal()[0].effect, "changed; Δ task −0.72 bits after 50 steps") << "the older part is known too";
  EXPECT_EQ(std::get<double>(bench_.live_values().at("train.lr")), 0.0005);
}

TEST_F(RecordOnBench, ReadOnAForkKeepsWhatItTookOverOfTheJournal) {
  bench_.view(loaded(), config::RunConfig{});
  bench_.start(from({train::Origin::Use::kFork, "/runs/a", 50}, "/runs/b"));
  announce("b", "/runs/b", 50);
  trainer().frame(51);
  trainer().fail("forward", "no memory", 52);
  trainer().ended = true;
  bench_.pump();
  LoadedRun rest;
  rest.folder = "/runs/b";
  rest.commands = {row(1, 51, 0.0002)};
  rest.events = {{52, "failure", "forward: no memory", "lab"}};
  rest.last_step = 51;
  bench_.read_on(rest);
  EXPECT_EQ(bench_.journal().back().what, "failed in forward") << "nothing is new";
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  frame->step = rest.last_step = 52;
  rest.frames = {std::move(frame)};
  bench_.read_on(std::move(rest));
  EXPECT_EQ(bench_.history().latest()->step, 52);
  std::vector<std::string> told;
  for (const JournalEntry& entry : bench_.journal()) told.push_back(entry.folder + " " + entry.what);
  EXPECT_EQ(told,
            (std::vector<std::string>{"/runs/a set train.lr 0.003", "/runs/a set train.lr 7.0",
                                      "/runs/a switched to stage 2", "/runs/b set train.lr 0.0002", "/runs/b failed"}));
}

TEST_F(RecordOnBench, GoingOnKeepsWhatIsShownAndPassesOverStepsTrainedAgain) {
  bench_.view(loaded(), config::RunConfig{});
  bench_.start(from({train::Origin::Use::kContinue, "/runs/a"}, "/runs/a"));
  EXPECT_FALSE(bench_.viewing());
  announce("a", "/runs/a");
  bench_.pump();
  EXPECT_EQ(bench_.checkpoints(), (std::vector<std::int64_t>{50, 100})) << "until the trainer has looked";
  trainer().checkpoints({100});
  trainer().publish(bus::RunState::kRunning, 101);
  trainer().frame(90);
  trainer().frame(101);
  bench_.pump();
  const telemetry::ScalarSeries* task = bench_.history().series("task");
  EXPECT_EQ(task->step.size(), 101U);
  EXPECT_EQ(bench_.checkpoints(), (std::vector<std::int64_t>{100}));
  EXPECT_EQ(bench_.journal().size(), 4U);
  EXPECT_TRUE(bench_.ghosts().empty());
  // Numbers of new commands lie above those of the record.
  bus::Command command;
  EXPECT_GT(bench_.post(command).value(), 43U);
  trainer().end(bus::RunState::kFinished);
}

TEST_F(RecordOnBench, AForkBeginsAtItsStepBeforeItsParent) {
  bench_.view(loaded(), config::RunConfig{});
  bench_.start(from({train::Origin::Use::kFork, "/runs/a", 50}, "/runs/b"));
  EXPECT_TRUE(bench_.checkpoints().empty()) << "those of the parent are no more its own";
  announce("b", "/runs/b", 50);
  trainer().frame(49);
  trainer().frame(51);
  bench_.pump();
  EXPECT_EQ(bench_.history().series("task")->step, (std::vector<std::int64_t>{51}));
  ASSERT_EQ(bench_.ghosts().size(), 1U);
  EXPECT_EQ(bench_.ghosts()[0].name, "a");
  EXPECT_EQ(bench_.ghosts()[0].history->latest()->step, 100);
  EXPECT_EQ(bench_.journal().size(), 3U);
  EXPECT_EQ(std::get<double>(bench_.live_values().at("train.lr")), 0.003);
  trainer().end(bus::RunState::kFinished);
}

TEST_F(RecordOnBench, AnotherRunForgetsGhosts) {
  bench_.view(loaded(), config::RunConfig{});
  bench_.start(from({train::Origin::Use::kFork, "/runs/a", 50}, "/runs/b"));
  trainer().end(bus::RunState::kFinished);
  bench_.pump();
  bench_.start({});
  EXPECT_TRUE(bench_.ghosts().empty());
  EXPECT_TRUE(bench_.journal().empty());
  EXPECT_FALSE(bench_.origin().has_value());
  trainer().end(bus::RunState::kFinished);
}

}  // namespace
}  // namespace moescope::app
