// What a run leaves on disk, and what happens when the disk is full.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/record/safetensors.h"
#include "tests/core/train/thread_harness.h"

namespace moescope {
namespace {

namespace fs = std::filesystem;
using bus::CommandKind;
using bus::RunState;

class RunFolderOfARun : public ::testing::Test {
 protected:
  RunFolderOfARun() : path(fs::temp_directory_path() / ("moescope_train_test_" + std::to_string(::getpid()))) {
    fs::remove_all(path);
  }
  ~RunFolderOfARun() override { fs::remove_all(path); }

  std::string text(const std::string& name) const {
    std::ifstream file(path / name);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }

  fs::path path;
};

TEST_F(RunFolderOfARun, HoldsConfigurationJournalMetricsAndWeights) {
  test::ThreadHarness run(test::tiny_stablemoe(4, {"train.steps=8"}), test::tiny_hooks(),
                          std::make_shared<bus::Channels>(), /*start_paused=*/true, path.string());
  ASSERT_TRUE(run.wait_for(RunState::kPaused));
  run.send(test::set("train.lr", 0.005));
  run.send(test::set("train.lr", 50.0));
  run.send(test::command(CommandKind::kResume));
  ASSERT_TRUE(run.wait_for(RunState::kFinished));
  for (const char* name : {"config.toml", "config.source.toml", "log.txt"}) EXPECT_TRUE(fs::exists(path / name));
  const std::string journal = text("journal.jsonl"), metrics = text("metrics.jsonl");
  EXPECT_NE(journal.find("lr 0.01 → 0.005"), std::string::npos);
  EXPECT_NE(journal.find("allowed is 0 to 1"), std::string::npos);
  EXPECT_NE(journal.find("\"schedule\""), std::string::npos) << journal;
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 8);
  const auto weights = record::read_safetensors((path / "final.safetensors").string());
  ASSERT_TRUE(weights.has_value());
  EXPECT_EQ(weights->metadata.at("step"), "8");
  EXPECT_EQ(weights->metadata.at("method"), "stablemoe");
}

/// No file may grow beyond `bytes` while this lives: a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(std::uintmax_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit full{static_cast<rlim_t>(bytes), before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(RunFolderOfARun, AFullDiskPausesTheRunAndNothingIsLost) {
  test::Harness run(test::tiny_config("switch"), true, test::tiny_hooks(), path.string());
  run.steps(3);
  {
    const FullDisk full(fs::file_size(path / "metrics.jsonl"));
    run.steps(1);
    ASSERT_FALSE(run.frames.back()->events.empty());
    const telemetry::Event& notice = run.frames.back()->events.back();
    EXPECT_EQ(notice.kind, telemetry::Event::Kind::kNotice);
    EXPECT_NE(notice.text.find("metrics.jsonl"), std::string::npos) << notice.text;
    const bus::RunStatus status = run.channels->status.read();
    EXPECT_EQ(status.state, RunState::kPaused);
    EXPECT_EQ(status.activity, notice.text);
    const bus::Reply resume = run.send(test::command(CommandKind::kResume));
    EXPECT_FALSE(resume.done);
    EXPECT_EQ(resume.text, "still not written: " + notice.text);
  }
  EXPECT_TRUE(run.send(test::command(CommandKind::kResume)).done);
  EXPECT_EQ(run.channels->status.read().state, RunState::kRunning);
  const std::string metrics = text("metrics.jsonl");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 4);
}

TEST_F(RunFolderOfARun, AFullDiskFailsARunNobodyCanResume) {
  train::RunRequest request;
  request.config = test::tiny_config("switch");
  request.folder = path.string();
  request.pause_when_disk_full = false;
  auto channels = std::make_shared<bus::Channels>();
  train::Trainer trainer(std::move(request), channels, test::tiny_hooks());
  trainer.prepare({});
  const FullDisk full(0);
  EXPECT_THROW(trainer.step(), std::runtime_error);
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
