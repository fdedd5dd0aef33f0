// Which checkpoints stay, and that one exists whole or not at all, whenever its writer is killed (R2).
#include "core/record/checkpoint_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "core/base/seed.h"
#include "core/bus/run_state.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

CheckpointRow row_at(std::int64_t step, CheckpointKind kind = CheckpointKind::kRegular) {
  CheckpointRow row;
  row.step = step;
  row.kind = kind;
  row.file = checkpoint_file(step, kind);
  return row;
}

std::vector<std::int64_t> gone(const std::vector<CheckpointRow>& rows, int keep_last, std::int64_t keep_every) {
  std::vector<std::int64_t> steps;
  for (const CheckpointRow& row : superfluous(rows, keep_last, keep_every)) steps.push_back(row.step);
  return steps;
}

TEST(CheckpointFiles, HaveTheirStepAndKindInTheirNames) {
  EXPECT_EQ(checkpoint_file(12000, CheckpointKind::kRegular), "step-000012000.safetensors");
  EXPECT_EQ(checkpoint_file(7, CheckpointKind::kTainted), "step-000000007.tainted.safetensors");
}

TEST(CheckpointFiles, StepsToStartFromAreEachToldOnceAndNotWithoutEnd) {
  std::vector<CheckpointRow> rows = {row_at(0, CheckpointKind::kStart), row_at(20), row_at(20, CheckpointKind::kStage),
                                     row_at(30, CheckpointKind::kTainted), row_at(40, CheckpointKind::kFinal)};
  EXPECT_THAT(steps_to_start_from(rows), testing::ElementsAre(0, 20, 40));
  for (std::int64_t step = 50; rows.size() < 10'000; step += 10) rows.push_back(row_at(step));
  EXPECT_EQ(steps_to_start_from(rows).size(), bus::kMostCheckpoints);
  EXPECT_EQ(steps_to_start_from(rows).back(), rows.back().step);
}

TEST(CheckpointFiles, TheNewestStayAndThoseAtMultiples) {
  std::vector<CheckpointRow> rows;
  for (std::int64_t step = 200; step <= 1400; step += 200) rows.push_back(row_at(step));
  EXPECT_THAT(gone(rows, 2, 0), testing::ElementsAre(200, 400, 600, 800, 1000));
  EXPECT_THAT(gone(rows, 2, 400), testing::ElementsAre(200, 600, 1000));
  EXPECT_THAT(gone(rows, 1, 0), testing::ElementsAre(200, 400, 600, 800, 1000, 1200));
  EXPECT_TRUE(gone(rows, 7, 0).empty());
}

TEST(CheckpointFiles, OnlyRegularOnesAndOldFinalOnesGo) {
  const std::vector<CheckpointRow> rows = {row_at(0, CheckpointKind::kStart),
                                           row_at(10, CheckpointKind::kStage),
                                           row_at(20),
                                           row_at(30, CheckpointKind::kFinal),
                                           row_at(40),
                                           row_at(45, CheckpointKind::kAsked),
                                           row_at(47, CheckpointKind::kTainted),
                                           row_at(50, CheckpointKind::kFinal)};
  EXPECT_THAT(gone(rows, 1, 0), testing::ElementsAre(20, 30));
}

Blocks blocks_of(std::int64_t step) {
  auto blocks = std::make_shared<std::vector<TensorBlock>>();
  blocks->push_back({"data/step", "I64", {}, std::vector<std::uint8_t>(8, static_cast<std::uint8_t>(step))});
  blocks->push_back({"model/w",
                     "F32",
                     {64, 1024},
                     std::vector<std::uint8_t>(std::size_t{64} * 1024 * 4, static_cast<std::uint8_t>(step))});
  return blocks;
}

TEST(CheckpointFiles, AreWrittenBesideTheTrainingAndComeBack) {
  const ScratchFolder scratch;
  CheckpointWriter writer(scratch.path());
  EXPECT_TRUE(writer.take_finished(true).empty());
  writer.write(row_at(5), blocks_of(5), {{"step", "5"}});
  writer.write(row_at(6), blocks_of(6), {{"step", "6"}});
  const auto written = writer.take_finished(true);
  ASSERT_EQ(written.size(), 2U);
  for (const CheckpointWriter::Written& one : written) {
    EXPECT_EQ(one.problem, "");
    EXPECT_EQ(one.row.bytes, static_cast<std::int64_t>(fs::file_size(scratch / ("checkpoints/" + one.row.file))));
  }
  const auto read = read_safetensors(scratch / "checkpoints/step-000000006.safetensors");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->metadata.at("step"), "6");
  EXPECT_EQ(read->blocks.size(), 2U);
}

TEST(CheckpointFiles, SayWhyThereIsNone) {
  const ScratchFolder scratch;
  fill(scratch / "checkpoints", "a file is in the way");
  CheckpointWriter writer(scratch.path());
  writer.write(row_at(5), blocks_of(5), {});
  const auto written = writer.take_finished(true);
  ASSERT_EQ(written.size(), 1U);
  EXPECT_THAT(written[0].problem, testing::HasSubstr("checkpoints"));
}

/// Writes one checkpoint after another until it is killed; `ready` gets a byte for every one that is durable.
[[noreturn]] void write_until_killed(const std::string& folder, int ready) {
  CheckpointWriter writer(folder);
  for (std::int64_t step = 1;; ++step) {
    writer.write(row_at(step), blocks_of(step), {});
    for (const CheckpointWriter::Written& written : writer.take_finished(true)) {
      const auto byte = static_cast<char>(written.row.step);
      if (!written.problem.empty() || ::write(ready, &byte, 1) != 1) ::_exit(3);
    }
  }
}

TEST(CheckpointFiles, AKilledWriterLeavesWholeOnesAndNothingElse) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer allows no threads after a fork";
#endif
  const int kills = std::getenv("MOESCOPE_LONG") != nullptr ? 200 : 50;
  SeededWords words(11);
  int whole = 0, torn = 0, lost = 0;
  for (int kill = 0; kill < kills; ++kill) {
    const ScratchFolder scratch;
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(scratch.path(), ends[1]);
    ::close(ends[1]);
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);  // one is durable
    int acknowledged = 1;
    std::this_thread::sleep_for(std::chrono::microseconds(words.below(20'000)));
    ::kill(child, SIGKILL);
    while (::read(ends[0], &byte, 1) == 1) ++acknowledged;
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    std::vector<CheckpointRow> rows;
    for (int step = 1; step <= acknowledged; ++step) rows.push_back(row_at(step));
    tidy_checkpoints(scratch.path(), rows);
    int files = 0;
    for (const auto& entry : fs::directory_iterator(scratch / "checkpoints")) {
      ++files;
      (read_safetensors(entry.path().string()) ? whole : torn) += 1;
    }
    lost += acknowledged - files;
  }
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(lost, 0);
  std::cout << kills << " kills: " << whole << " whole checkpoints, " << torn << " torn, " << lost << " lost\n";
}

}  // namespace
}  // namespace moescope::record
