// A run that begins from one whose record or checkpoints are damaged: with what is whole, and it is said.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "tests/core/record/scratch_folder.h"
#include "tests/core/train/recorded_run.h"

namespace moescope {
namespace {

namespace fs = std::filesystem;
using test::RecordedRun;

class PastDamage : public ::testing::Test {
 protected:
  std::string folder(const std::string& name) const { return scratch_ / name; }

  /// 45 steps with a command behind the tenth; checkpoints at 20 and 40.
  void record() const {
    RecordedRun run(test::request_of(config_, folder("run")));
    run.steps_to(10);
    run.send(test::set("train.lr", 0.003));
    run.steps_to(45);
  }
  train::StateHash truth(std::int64_t step) const {
    RecordedRun run(test::request_of(config_, ""));
    run.steps_to(10);
    run.send(test::set("train.lr", 0.003));
    run.steps_to(step);
    return run.hash();
  }
  void tamper(const std::string& sql) const {
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open(folder("run/run.db").c_str(), &file), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(file);
    sqlite3_close(file);
  }
  void damage_checkpoint(const std::string& file) const {
    std::string bytes = record::content_of(folder("run/checkpoints/" + file));
    ASSERT_GT(bytes.size(), 100U);
    bytes[bytes.size() - 50] = static_cast<char>(bytes[bytes.size() - 50] ^ 1);
    record::fill(folder("run/checkpoints/" + file), bytes);
  }
  std::string refusal(const train::RunRequest& request) const {
    try {
      const RecordedRun run(request);
    } catch (const std::exception& problem) {
      return problem.what();
    }
    return "";
  }

  record::ScratchFolder scratch_;
  config::RunConfig config_ = test::recorded_config("switch");
};

TEST_F(PastDamage, ACheckpointThatWasPassedOverIsToldWithTheFirstNewStep) {
  record();
  damage_checkpoint("step-000000040.safetensors");
  RecordedRun run(test::continued(config_, folder("run")));
  EXPECT_EQ(run.trainer->steps_done(), 45);
  const auto frame = run.trainer->step();
  ASSERT_EQ(frame->events.size(), 1U) << "those of steps trained again are recorded already";
  EXPECT_EQ(
      frame->events[0].text,
      "checkpoint step-000000040.safetensors cannot be used: its data are damaged: they are not what was written; "
      "step-000000020.safetensors is used instead");
  run.steps_to(60);
  EXPECT_EQ(test::difference(truth(60), run.hash()), "");
}

TEST_F(PastDamage, ADamagedRecordIsNotGoneOnWith) {
  record();
  fs::resize_file(folder("run/run.db"), fs::file_size(folder("run/run.db")) - 8192);
  const std::string before = record::content_of(folder("run/run.db")), log = record::content_of(folder("run/log.txt"));
  const std::string told = refusal(test::continued(config_, folder("run")));
  EXPECT_NE(told.find("the run cannot be continued; fork it at step 40, from the newest checkpoint that can be read"),
            std::string::npos)
      << told;
  EXPECT_EQ(record::content_of(folder("run/run.db")), before);
  EXPECT_EQ(record::content_of(folder("run/log.txt")), log);
}

TEST_F(PastDamage, AForkNeedsOnlyItsCheckpointOfADamagedRecord) {
  record();
  tamper("DELETE FROM command");
  const train::RunRequest between = test::forked(config_, folder("run"), folder("between"), 35);
  EXPECT_NE(refusal(between).find("it can be forked only at the step of a checkpoint"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder("between")));
  const train::RunRequest fewer = test::forked(config_, folder("run"), folder("fewer"), 40, 0);
  EXPECT_NE(refusal(fewer).find("with all its commands"), std::string::npos) << "the command is in that state";
  RecordedRun fork(test::forked(config_, folder("run"), folder("fork"), 40));
  EXPECT_EQ(fork.trainer->steps_done(), 40);
  fork.steps_to(60);
  EXPECT_EQ(test::difference(truth(60), fork.hash()), "");
  damage_checkpoint("step-000000040.safetensors");
  EXPECT_NE(refusal(test::forked(config_, folder("run"), folder("last"), 40))
                .find("its checkpoint at step 40 is damaged, and so is the journal"),
            std::string::npos);
}

TEST_F(PastDamage, AForkLeavesFromACheckpointBehindTheLastReadableStep) {
  record();
  fs::resize_file(folder("run/run.db"), 12 * 8192);
  {
    const auto reader = record::RunReader::open(folder("run"));
    ASSERT_TRUE(reader) << format(reader.error());
    ASSERT_LT((*reader)->last_step(), 40);
  }
  RecordedRun fork(test::forked(config_, folder("run"), folder("fork"), 40));
  fork.steps_to(60);
  EXPECT_EQ(test::difference(truth(60), fork.hash()), "");
}

TEST_F(PastDamage, NoStepIsToldToHaveCostLessThanNoTimeToWatch) {
  record();
  RecordedRun fork(test::forked(config_, folder("run"), folder("fork"), 35));
  for (int i = 0; i < 5; ++i) EXPECT_GT(fork.trainer->step()->watch_ms, 0) << "step " << 36 + i;
}

}  // namespace
}  // namespace moescope
