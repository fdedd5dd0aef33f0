#include "core/record/run_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <new>

#include "core/base/log.h"
#include "tests/core/record/read_back.h"

namespace moescope::record {
namespace {

using testing::HasSubstr;

class RunWriterTest : public testing::Test {
 protected:
  RunWriterTest() { log::set_console(false); }
  std::unique_ptr<RunWriter> create(const WriterOptions& options = {}) {
    auto writer = RunWriter::create(scratch.path(), test_facts(), options);
    EXPECT_TRUE(writer) << (writer ? "" : format(writer.error()));
    if (!writer) return nullptr;
    EXPECT_TRUE((*writer)->set_run_info(test_info()));
    return std::move(writer).value();
  }
  std::unique_ptr<RunWriter> reopen(const WriterOptions& options = {}) {
    auto writer = RunWriter::reopen(scratch.path(), options);
    EXPECT_TRUE(writer) << (writer ? "" : format(writer.error()));
    return writer ? std::move(writer).value() : nullptr;
  }
  std::int64_t number(const std::string& sql) { return number_in(scratch / "run.db", sql); }
  const ScratchFolder scratch;
};

std::string problem_of(const Result<std::unique_ptr<RunWriter>>& writer) {
  return writer ? "none" : format(writer.error());
}

TEST_F(RunWriterTest, WhatIsCommittedIsReadBackToTheBit) {
  auto writer = create();
  for (std::int64_t step = 1; step <= 200; step += 7)
    ASSERT_TRUE(writer->commit(test_batch(step, std::min<std::int64_t>(200, step + 6))));
  EXPECT_EQ(writer->last_step(), 200);
  writer.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 200), "");
  const auto reader = RunReader::open(scratch.path());
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->facts().determinism, test_facts().determinism);
  EXPECT_EQ((*reader)->info().probe.size(), test_info().probe.size());
}

TEST_F(RunWriterTest, ABatchThatRanOutOfMemoryLeavesNothingAndIsWrittenLater) {
  bool scarce = false;
  WriterOptions options;
  options.wall_ns = [&]() -> std::int64_t {
    if (scarce) throw std::bad_alloc();
    return 1;
  };
  auto writer = create(options);
  ASSERT_TRUE(writer->commit(test_batch(1, 10)));
  scarce = true;
  const Status refused = writer->commit(test_batch(11, 20));
  ASSERT_FALSE(refused);
  EXPECT_THAT(format(refused.error()), HasSubstr("memory"));
  EXPECT_EQ(writer->last_step(), 10);
  scarce = false;
  ASSERT_TRUE(writer->commit(test_batch(11, 20)));
  writer.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 20), "");
}

TEST_F(RunWriterTest, TheNewestChunkGrowsUntilItIsFull) {
  auto writer = create();
  for (std::int64_t step = 1; step <= 130; ++step) ASSERT_TRUE(writer->commit(test_batch(step, step)));
  writer.reset();
  EXPECT_EQ(number("SELECT count(*) FROM chunk WHERE stream = 'step'"), 3);
  EXPECT_EQ(number("SELECT max(n) FROM chunk WHERE stream = 'step'"), 64);
  EXPECT_EQ(number("SELECT count(*) FROM chunk WHERE stream = 'space'"), 1);
  EXPECT_EQ(fault_of_run(scratch.path(), 130), "");
}

TEST_F(RunWriterTest, TheSpacesOfOneStepStayInOneChunk) {
  auto writer = create();
  // Two spaces every tenth step: 64 values fill a chunk at step 320, in the middle of nothing; with three they would
  // not.
  RunBatch batch;
  for (std::int64_t step = 10; step <= 700; step += 10) {
    auto frame = std::make_shared<telemetry::TelemetryFrame>(*test_frame(step));
    frame->spaces.push_back(frame->spaces.front());
    batch.frames.push_back(std::move(frame));
  }
  ASSERT_TRUE(writer->commit(batch));
  writer.reset();
  EXPECT_EQ(number("SELECT sum(n) FROM chunk WHERE stream = 'space'"), 210);
  EXPECT_EQ(number("SELECT n FROM chunk WHERE stream = 'space' ORDER BY id"), 66);
}

TEST_F(RunWriterTest, ARunIsGoneOnWith) {
  create()->commit(test_batch(1, 30)).value();
  auto writer = reopen();
  EXPECT_EQ(writer->last_step(), 30);
  ASSERT_TRUE(writer->commit(test_batch(31, 100)));
  writer.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 100), "");
}

TEST_F(RunWriterTest, ACommandIsAnsweredAfterTheRunWasGoneOnWith) {
  const std::vector<CommandRow> commands = test_commands(3);  // the last one has no answer
  RunBatch batch;
  batch.commands = commands;
  create()->commit(batch).value();
  auto writer = reopen();
  EXPECT_EQ(writer->last_command(), 3);
  RunBatch answer;
  answer.results = {{3, {true, "done now"}}};
  ASSERT_TRUE(writer->commit(answer));
  writer.reset();
  auto reader = RunReader::open(scratch.path());
  ASSERT_TRUE(reader);
  const auto rows = (*reader)->commands();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[2].result, (CommandRow::Result{true, "done now"}));
  EXPECT_EQ(rows[2].hash, commands[2].hash);
  EXPECT_EQ((*reader)->journal_problem(), "");
}

TEST_F(RunWriterTest, EventsAndGapsKeepTheirOwnNumbers) {
  RunBatch batch;
  batch.events = {{1, "notice", "one", "lab"}};
  batch.gaps = {{"probe", 1, 1, 1, "1 of 2 is kept"}, {"probe", 3, 3, 1, "1 of 2 is kept"}};
  create()->commit(batch).value();
  auto writer = reopen();
  batch.events = {{5, "notice", "two", "lab"}};
  batch.gaps = {{"probe", 5, 5, 1, "1 of 4 is kept"}, {"space", 5, 5, 2, "1 of 4 is kept"}};
  ASSERT_TRUE(writer->commit(batch));
  writer.reset();
  auto reader = RunReader::open(scratch.path());
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->events().size(), 2U);
  const auto gaps = (*reader)->gaps();
  ASSERT_EQ(gaps.size(), 3U);
  EXPECT_EQ(gaps[0].first_step, 1);
  EXPECT_EQ(gaps[0].last_step, 3);
  EXPECT_EQ(gaps[0].dropped, 2);
}

TEST_F(RunWriterTest, AForgottenCheckpointIsNoLongerNamed) {
  auto writer = create();
  RunBatch batch;
  batch.checkpoints = {{1, "a.safetensors", 4, "", 0, CheckpointKind::kRegular},
                       {2, "b.safetensors", 4, "", 0, CheckpointKind::kRegular}};
  ASSERT_TRUE(writer->commit(batch));
  RunBatch later;
  later.forgotten_checkpoints = {"a.safetensors"};
  ASSERT_TRUE(writer->commit(later));
  writer.reset();
  EXPECT_EQ(number("SELECT count(*) FROM checkpoint"), 1);
  EXPECT_EQ(number("SELECT step FROM checkpoint"), 2);
}

TEST_F(RunWriterTest, ClosingLeavesOneFileAndNoWal) {
  create()->commit(test_batch(1, 10)).value();
  EXPECT_TRUE(std::filesystem::exists(scratch / "run.db"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.db-wal"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.db.new"));
}

TEST_F(RunWriterTest, OnANetworkDiskItUsesARollbackJournal) {
  WriterOptions options;
  options.network_disk = true;
  auto writer = create(options);
  ASSERT_TRUE(writer->commit(test_batch(1, 70)));
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.db-wal"));
  writer.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 70), "");
}

TEST_F(RunWriterTest, RefusesAFolderThatHoldsARun) {
  create();
  EXPECT_THAT(problem_of(RunWriter::create(scratch.path(), test_facts())), HasSubstr("a recorded run is already here"));
}

TEST_F(RunWriterTest, RefusesToGoOnWhereThereIsNoRun) {
  EXPECT_THAT(problem_of(RunWriter::reopen(scratch.path())), HasSubstr("run.db"));
}

TEST_F(RunWriterTest, ASecondRecorderIsRefusedAtOnceAndTheFirstIsUnharmed) {
  auto first = create();
  ASSERT_TRUE(first->commit(test_batch(1, 10)));
  const auto begin = std::chrono::steady_clock::now();
  const std::string problem = problem_of(RunWriter::reopen(scratch.path()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));  // ten times its figure
  EXPECT_EQ(problem, scratch.path() + ": error: this run is being recorded by another program (process " +
                         std::to_string(::getpid()) +
                         ")\nhint: wait for it to end, or stop it; a fork into a new folder is possible meanwhile\n");
  ASSERT_TRUE(first->commit(test_batch(11, 20)));
  first.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 20), "");
  EXPECT_NE(reopen(), nullptr);
}

TEST_F(RunWriterTest, DoesNotFollowALinkOutOfTheFolder) {
  create()->commit(test_batch(1, 3)).value();
  std::filesystem::rename(scratch / "run.db", scratch / "elsewhere");
  std::filesystem::create_symlink(scratch / "elsewhere", scratch / "run.db");
  EXPECT_NE(problem_of(RunWriter::reopen(scratch.path())), "none");
}

TEST_F(RunWriterTest, WallClockThatGoesBackwardsChangesNoOrder) {
  std::int64_t now = 1'000'000;
  WriterOptions options;
  options.wall_ns = [&now] { return now -= 1000; };
  auto writer = create(options);
  for (std::int64_t step = 1; step <= 90; ++step) ASSERT_TRUE(writer->commit(test_batch(step, step)));
  writer.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 90), "");
  auto reader = RunReader::open(scratch.path());
  const auto events = (*reader)->events();
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_LE(events[i - 1].step, events[i].step);
}

TEST_F(RunWriterTest, AssertsThatItsConnectionIsTheOnlyOneThatWrites) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  create()->commit(test_batch(1, 3)).value();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open_v2((scratch / "run.db").c_str(), &other, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  sqlite3_exec(other, "SELECT count(*) FROM chunk", nullptr, nullptr, nullptr);
  EXPECT_DEATH(static_cast<void>(RunWriter::reopen(scratch.path())), "second read-write connection");
  sqlite3_close(other);
}

TEST_F(RunWriterTest, AssertsThatNoStepIsRecordedTwice) {
  auto writer = create();
  ASSERT_TRUE(writer->commit(test_batch(1, 3)));
  EXPECT_DEATH(static_cast<void>(writer->commit(test_batch(3, 4))), "not recorded again");
}

TEST_F(RunWriterTest, ARunWhoseFolderHasGoneSaysSoAndGoesOnWhenItIsBack) {
  const std::string folder = scratch / "run";
  const std::string elsewhere = scratch / "moved";
  std::filesystem::create_directory(folder);
  auto made = RunWriter::create(folder, test_facts());
  ASSERT_TRUE(made);
  RunWriter& writer = **made;
  ASSERT_TRUE(writer.set_run_info(test_info()));
  ASSERT_TRUE(writer.commit(test_batch(1, 10)));
  std::filesystem::rename(folder, elsewhere);
  const Status gone = writer.commit(test_batch(11, 20));
  ASSERT_FALSE(gone);
  EXPECT_EQ(format(gone.error()), folder +
                                      ": error: the folder of this run has gone, or its file was replaced\n"
                                      "hint: put it back where it was, and recording goes on\n");
  std::filesystem::rename(elsewhere, folder);
  ASSERT_TRUE(writer.commit(test_batch(11, 20)));
  EXPECT_EQ(fault_of_run(folder, 20), "");
}

}  // namespace
}  // namespace moescope::record
