// What a run leaves on disk, and what happens when the disk is full.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "core/record/checkpoint_files.h"
#include "core/record/run_reader.h"
#include "core/record/safetensors.h"
#include "tests/core/record/full_disk.h"
#include "tests/core/train/thread_harness.h"

namespace moescope {
namespace {

namespace fs = std::filesystem;
using bus::CommandKind;
using bus::RunState;
using record::FullDisk;

class RunFolderOfARun : public ::testing::Test {
 protected:
  RunFolderOfARun() : path(fs::temp_directory_path() / ("moescope_train_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path);
  }
  ~RunFolderOfARun() override { fs::remove_all(path); }

  std::unique_ptr<record::RunReader> reader() const {
    auto opened = record::RunReader::open(path.string());
    MOESCOPE_ASSERT(opened.has_value(), "the run folder holds a run");
    return std::move(*opened);
  }

  fs::path path;
};

TEST_F(RunFolderOfARun, HoldsConfigurationJournalMetricsAndWeights) {
  {
    test::ThreadHarness run(test::tiny_stablemoe(4, {"train.steps=8"}), test::tiny_hooks(),
                            std::make_shared<bus::Channels>(), /*start_paused=*/true, path.string());
    ASSERT_TRUE(run.wait_for(RunState::kPaused));
    run.send(test::set("train.lr", 0.005));
    run.send(test::set("train.lr", 50.0));
    run.send(test::command(CommandKind::kResume));
    ASSERT_TRUE(run.wait_for(RunState::kFinished));
  }
  for (const char* name : {"config.toml", "config.source.toml", "log.txt"}) EXPECT_TRUE(fs::exists(path / name));
  const auto recorded = reader();
  const auto journal = recorded->commands();
  ASSERT_EQ(journal.size(), 3U);
  EXPECT_TRUE(journal[0].result->done);
  EXPECT_EQ(journal[0].result->text, "lr 0.01 → 0.005");
  EXPECT_FALSE(journal[1].result->done);
  EXPECT_NE(journal[1].result->text.find("allowed is 0 to 1"), std::string::npos);
  EXPECT_EQ(journal[2].command.kind, CommandKind::kResume);
  const auto frames = recorded->frames(1, 8);
  ASSERT_EQ(frames.size(), 8U);
  EXPECT_TRUE(std::any_of(frames.begin(), frames.end(), [](const telemetry::FramePtr& frame) {
    return !frame->events.empty() && frame->events.front().who == "schedule";
  }));
  const auto checkpoints = recorded->checkpoints();
  ASSERT_EQ(checkpoints.size(), 2U);
  EXPECT_EQ(checkpoints[0].kind, record::CheckpointKind::kStage);
  EXPECT_EQ(checkpoints[0].step, 4);
  EXPECT_EQ(checkpoints[1].kind, record::CheckpointKind::kFinal);
  EXPECT_EQ(checkpoints[1].step, 8);
  const auto weights = record::read_safetensors((path / "final.safetensors").string());
  ASSERT_TRUE(weights.has_value());
  EXPECT_EQ(weights->metadata.at("step"), "8");
  EXPECT_EQ(weights->metadata.at("method"), "stablemoe");
}

TEST_F(RunFolderOfARun, ItsCheckpointsAreToldAsTheyComeAndGo) {
  test::ThreadHarness run(
      test::tiny_config("switch", {"train.steps=50", "record.checkpoint_every=10", "record.keep_last=2"}),
      test::tiny_hooks(), std::make_shared<bus::Channels>(), /*start_paused=*/true, path.string());
  ASSERT_TRUE(run.wait_for(RunState::kPaused));
  const auto told = [&] { return run.channels->status.read().checkpoints; };
  EXPECT_TRUE(told().empty());
  for (const std::vector<std::int64_t>& kept :
       {std::vector<std::int64_t>{10}, std::vector<std::int64_t>{10, 20}, std::vector<std::int64_t>{20, 30}}) {
    run.send(test::counted(CommandKind::kStep, 10));
    ASSERT_TRUE(run.wait_until([&] { return told() == kept; }));
    const auto rows = reader()->checkpoints();
    EXPECT_TRUE(record::steps_to_start_from(rows) == kept) << "what is told can be found again";
  }
  run.send(test::command(CommandKind::kResume));
  ASSERT_TRUE(run.wait_for(RunState::kFinished));
  EXPECT_EQ(told(), (std::vector<std::int64_t>{30, 40, 50}));
}

TEST_F(RunFolderOfARun, AFullDiskPausesTheRunWhichGoesOnByItselfAndNothingIsLost) {
  std::int64_t steps = 0;
  {
    test::ThreadHarness run(test::tiny_config("switch", {"train.steps=100000"}), test::tiny_hooks(),
                            std::make_shared<bus::Channels>(), /*start_paused=*/false, path.string());
    ASSERT_TRUE(run.wait_until([&] { return fs::exists(path / "run.db-wal") && run.status().step > 20; }));
    {
      const FullDisk full(fs::file_size(path / "run.db-wal"));
      ASSERT_TRUE(run.wait_for(RunState::kPaused));
      const bus::RunStatus status = run.status();
      EXPECT_NE(status.activity.find("cannot be written"), std::string::npos) << status.activity;
      const bus::Reply refused = run.send(test::set("train.lr", 0.001));
      EXPECT_FALSE(refused.done);
      EXPECT_EQ(refused.text.rfind("not done, since it could not be written to the journal: ", 0), 0U) << refused.text;
      EXPECT_FALSE(run.send(test::command(CommandKind::kResume)).done);
    }
    ASSERT_TRUE(run.wait_for(RunState::kRunning));
    EXPECT_TRUE(run.send(test::set("train.lr", 0.001)).done);
    run.send(test::command(CommandKind::kStop));
    ASSERT_TRUE(run.wait_for(RunState::kFinished));
    steps = run.status().step;
  }
  EXPECT_EQ(static_cast<std::int64_t>(reader()->frames(1, steps).size()), steps);
}

TEST_F(RunFolderOfARun, AFullDiskFailsARunNobodyCanResume) {
  train::RunRequest request;
  request.config = test::tiny_config("switch", {"train.steps=100000"});
  request.folder = path.string();
  request.pause_when_disk_full = false;
  auto channels = std::make_shared<bus::Channels>();
  train::Trainer trainer(std::move(request), channels, test::tiny_hooks());
  trainer.prepare({});
  const FullDisk full(0);
  const auto train_on = [&] {
    for (int i = 0; i < 20000; ++i) trainer.step();
  };
  EXPECT_THROW(train_on(), std::runtime_error);
  EXPECT_EQ(trainer.clock().current(), train::Phase::kRecord);
}

TEST_F(RunFolderOfARun, AFolderInUseFailsThePreparation) {
  fs::create_directories(path);
  std::ofstream(path / "something") << "here";
  test::ThreadHarness run(test::tiny_config("switch"), test::tiny_hooks(), std::make_shared<bus::Channels>(), false,
                          path.string());
  ASSERT_TRUE(run.wait_for(RunState::kFailed));
  EXPECT_EQ(run.status().failure.phase, "prepare");
  EXPECT_EQ(run.status().failure.message,
            path.string() + ": this folder is not empty; name a new or empty folder for the run");
  EXPECT_TRUE(fs::exists(path / "something"));
}

TEST_F(RunFolderOfARun, ARefusedRunLeavesNoFolderThatWouldBeInTheWay) {
  const auto refused = [&](const train::RunRequest& asked, train::TrainerHooks hooks) {
    train::Trainer trainer(asked, std::make_shared<bus::Channels>(), std::move(hooks));
    try {
      trainer.prepare({});
      ADD_FAILURE() << "it was not refused";
    } catch (...) {
      trainer.fail(std::current_exception());
    }
  };
  train::RunRequest request;
  request.config = test::tiny_config("switch", {"train.steps=4", "model.init_from=\"/no/such/file\""});
  request.folder = (path / "new").string();
  refused(request, test::tiny_hooks());
  EXPECT_FALSE(fs::exists(path / "new"));
  fs::create_directories(path / "empty");
  request.folder = (path / "empty").string();
  refused(request, test::tiny_hooks());
  EXPECT_TRUE(fs::is_empty(path / "empty")) << "it was there before";

  // The same on the way from an older state of another run.
  request.config = test::tiny_config("switch", {"train.steps=4"});
  request.folder = (path / "whole").string();
  {
    train::Trainer whole(request, std::make_shared<bus::Channels>(), test::tiny_hooks());
    whole.prepare({});
    while (whole.steps_done() < 4) whole.step();
  }
  train::TrainerHooks failing = test::tiny_hooks();
  failing.on_phase = [](std::string_view phase, std::int64_t) {
    if (phase == "backward") throw std::runtime_error("thrown by the test");
  };
  request.origin = train::Origin{train::Origin::Use::kFork, request.folder, 3, train::Origin::kNewest};
  request.folder = (path / "fork").string();
  refused(request, failing);
  EXPECT_FALSE(fs::exists(path / "fork"));
  EXPECT_TRUE(fs::exists(path / "whole/run.db"));
}

TEST_F(RunFolderOfARun, WeightsAreSavedOnRequestOrTheReasonGiven) {
  fs::create_directories(path);
  test::Harness run(test::tiny_config("switch"));
  const std::string file = (path / "mine.safetensors").string();
  EXPECT_EQ(run.send(test::with_text(CommandKind::kSaveWeights, file)).text, "saved to " + file);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(run.send(test::with_text(CommandKind::kSaveWeights, "")).text, "a file name is missing");
  const bus::Reply reply = run.send(test::with_text(CommandKind::kSaveWeights, "/no/such/folder/w.safetensors"));
  EXPECT_FALSE(reply.done);
  EXPECT_EQ(reply.text.rfind("not saved: ", 0), 0U) << reply.text;
}

}  // namespace
}  // namespace moescope
