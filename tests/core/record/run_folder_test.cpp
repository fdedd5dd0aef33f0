#include "core/record/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "core/base/log.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

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

std::vector<json> lines_of(const std::string& path) {
  std::vector<json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

bus::Reply reply_at(std::int64_t step, bus::CommandKind kind) {
  bus::Reply reply;
  reply.step = step;
  reply.command.kind = kind;
  reply.done = true;
  return reply;
}

TEST(RunFolder, HoldsBothConfigurationsLogJournalAndMetrics) {
  const ScratchFolder scratch;
  const std::string path = scratch / "runs/deep/first";
  auto folder = open_folder(path);
  ASSERT_TRUE(folder->add_reply(reply_at(3, bus::CommandKind::kPause)));
  ASSERT_TRUE(folder->add_reply(reply_at(3, bus::CommandKind::kWatch)));  // no part of the experiment
  telemetry::TelemetryFrame frame;
  frame.step = 1;
  ASSERT_TRUE(folder->add_frame(frame));
  log::info("hello");
  folder.reset();
  log::info("after the run");
  EXPECT_EQ(content_of(path + "/config.toml"), "seed = 7\n");
  EXPECT_EQ(content_of(path + "/config.source.toml"), "# mine\n");
  EXPECT_THAT(content_of(path + "/log.txt"), testing::HasSubstr(" info hello\n"));
  EXPECT_THAT(content_of(path + "/log.txt"), testing::Not(testing::HasSubstr("after")));
  const auto journal = lines_of(path + "/journal.jsonl");
  ASSERT_EQ(journal.size(), 1U);
  EXPECT_EQ(journal[0]["command"], "pause");
  EXPECT_EQ(lines_of(path + "/metrics.jsonl").size(), 1U);
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

/// A limit on file sizes stands in for a full disk: it refuses at the same places.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(RunFolder, LinesThatDoNotFitWaitAndNothingIsLostOrTorn) {
  const ScratchFolder scratch;
  auto folder = open_folder(scratch / "run");
  int failures = 0;
  {
    const SmallFiles limit(1000);
    for (int step = 0; step < 20; ++step) {
      const Status status = folder->add_reply(reply_at(step, bus::CommandKind::kPause));
      if (status) continue;
      ++failures;
      EXPECT_THAT(format(status.error()),
                  testing::HasSubstr("journal.jsonl: error: cannot be written: File too large; "));
      EXPECT_THAT(format(status.error()), testing::HasSubstr("hint: this file may not grow further"));
    }
    EXPECT_FALSE(folder->flush());
  }
  EXPECT_GT(failures, 5);
  ASSERT_TRUE(folder->flush());
  ASSERT_TRUE(folder->add_reply(reply_at(20, bus::CommandKind::kPause)));
  folder.reset();
  const auto journal = lines_of(scratch / "run/journal.jsonl");
  ASSERT_EQ(journal.size(), 21U);
  for (std::size_t i = 0; i < journal.size(); ++i) EXPECT_EQ(journal[i]["step"], i);
}

TEST(RunFolder, AFailedStartLeavesNothingBehind) {
  const ScratchFolder scratch;
  log::set_console(false);
  {
    const SmallFiles limit(4);
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
