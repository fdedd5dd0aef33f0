#include "core/record/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/log.h"
#include "tests/core/record/full_disk.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<RunFolder> open_folder(const std::string& path) {
  log::set_console(false);
  auto folder = RunFolder::create(path, "seed = 7\n", "# mine\n");
  EXPECT_TRUE(folder) << format(folder.error());
  return folder ? std::move(folder).value() : nullptr;
}

std::string refusal(const std::string& path) {
  const auto folder = RunFolder::create(path, "", "");
  return folder ? "accepted" : format(folder.error());
}

TEST(RunFolder, HoldsBothConfigurationsAndTheLog) {
  const ScratchFolder scratch;
  const std::string path = scratch / "runs/deep/first";
  auto folder = open_folder(path);
  log::info("hello");
  folder.reset();
  log::info("after the run");
  EXPECT_EQ(content_of(path + "/config.toml"), "seed = 7\n");
  EXPECT_EQ(content_of(path + "/config.source.toml"), "# mine\n");
  EXPECT_THAT(content_of(path + "/log.txt"), testing::HasSubstr(" info hello\n"));
  EXPECT_THAT(content_of(path + "/log.txt"), testing::Not(testing::HasSubstr("after")));
}

TEST(RunFolder, TakenUpAgainGoesOnWithItsLog) {
  const ScratchFolder scratch;
  open_folder(scratch / "run");
  auto again = RunFolder::reopen(scratch / "run");
  ASSERT_TRUE(again);
  log::info("second half");
  again->reset();
  EXPECT_THAT(content_of(scratch / "run/log.txt"), testing::HasSubstr(" info second half\n"));
  EXPECT_EQ(content_of(scratch / "run/config.toml"), "seed = 7\n");
  const auto absent = RunFolder::reopen(scratch / "absent");
  ASSERT_FALSE(absent);
  EXPECT_EQ(format(absent.error()), scratch / "absent" + std::string(": error: there is no such run folder\n"));
}

TEST(RunFolder, ADiscardedOneLeavesWhatWasThereBefore) {
  const ScratchFolder scratch;
  auto folder = open_folder(scratch / "new");
  fill(scratch / "new/run.db", "nothing in it");
  RunFolder::discard(std::move(folder));
  EXPECT_FALSE(std::filesystem::exists(scratch / "new"));
  fs::create_directory(scratch / "given");
  RunFolder::discard(open_folder(scratch / "given"));
  EXPECT_TRUE(fs::is_empty(scratch / "given"));
  folder = open_folder(scratch / "shared");
  fill(scratch / "shared/thesis.txt", "mine");
  RunFolder::discard(std::move(folder));
  EXPECT_EQ(content_of(scratch / "shared/thesis.txt"), "mine");
  open_folder(scratch / "old");
  RunFolder::discard(std::move(*RunFolder::reopen(scratch / "old")));
  EXPECT_EQ(content_of(scratch / "old/config.toml"), "seed = 7\n");
}

TEST(RunFolder, AnEmptyFolderIsTaken) {
  const ScratchFolder scratch;
  EXPECT_NE(open_folder(scratch.path()), nullptr);
}

TEST(RunFolder, RefusesWhatHoldsAnything) {
  const ScratchFolder scratch;
  fill(scratch / "precious.txt", "mine");
  EXPECT_EQ(refusal(scratch.path()),
            scratch.path() + ": error: this folder is not empty\nhint: name a new or empty folder for the run\n");
  EXPECT_EQ(refusal(scratch / "precious.txt"), scratch / "precious.txt" +
                                                   ": error: a file of this name is in the way\n"
                                                   "hint: name a new or empty folder for the run\n");
  EXPECT_EQ(content_of(scratch / "precious.txt"), "mine");
  EXPECT_EQ(refusal(""), "error: the run folder has no name\n");
}

TEST(RunFolder, SaysWhyAPlaceCannotBeWritten) {
  // /proc refuses new folders to everyone, root included.
  EXPECT_EQ(refusal("/proc/moescope"), "/proc/moescope: error: cannot be written: No such file or directory\n");
  const ScratchFolder scratch;
  fill(scratch / "file", "");
  EXPECT_EQ(refusal(scratch / "file/run"),
            scratch / "file/run: error: cannot be made: " + (scratch / "file") + " is a file\n");
}

TEST(RunFolder, RespectsPermissions) {
  const ScratchFolder scratch;
  if (::geteuid() == 0) GTEST_SKIP() << "root may write where permissions forbid it";
  fs::permissions(scratch.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(refusal(scratch / "run"), scratch /
                                          "run: error: cannot be written: Permission denied\n"
                                          "hint: name a folder that you may write to\n");
  fs::permissions(scratch.path(), fs::perms::owner_all);
}

TEST(RunFolder, AFailedStartLeavesNothingBehind) {
  const ScratchFolder scratch;
  log::set_console(false);
  {
    const FullDisk limit(4);
    EXPECT_THAT(refusal(scratch / "run"), testing::Eq("accepted"));  // two empty texts fit
    fs::remove_all(scratch / "run");
    const auto folder = RunFolder::create(scratch / "run", "seed = 7\n", "");
    ASSERT_FALSE(folder);
    EXPECT_THAT(format(folder.error()),
                testing::HasSubstr("run/config.toml: error: cannot be written: File too large"));
  }
  EXPECT_FALSE(fs::exists(scratch / "run"));
  EXPECT_NE(open_folder(scratch / "run"), nullptr);
}

TEST(NewRunPath, NamesTimeRunAndAnIdOfItsOwn) {
  const std::string path = new_run_path("/base", "two stage/wörkshop");
  EXPECT_THAT(path, testing::MatchesRegex("/base/runs/[0-9]{8}T[0-9]{6}Z-two_stage_w__rkshop-[0-9a-f]{8}"));
  EXPECT_NE(path, new_run_path("/base", "two stage/wörkshop"));
  EXPECT_THAT(new_run_path("", ""), testing::MatchesRegex("runs/[0-9]{8}T[0-9]{6}Z-run-[0-9a-f]{8}"));
}

}  // namespace
}  // namespace moescope::record
