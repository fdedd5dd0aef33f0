// The process dies at the first, second, … last file operation of making a run, of a commit with a checkpoint of the
// WAL, of going on in a second file, and of closing: every point is tried, before the operation and in its middle.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>

#include "core/base/log.h"
#include "tests/core/record/fault_vfs.h"
#include "tests/core/record/read_back.h"

namespace moescope::record {
namespace {

constexpr int kDied = 77, kDone = 0, kRefused = 5;

WriterOptions small(const FaultVfs& vfs) {
  WriterOptions options;
  options.vfs = vfs.name();
  options.checkpoint_pages = 8;
  return options;
}

/// Runs `what` in a process of its own that ends at file operation `point` (counted from 0); a write is done by half
/// first. With `sync_fails` the first sync of run.db-wal fails too. The exit status, and in `calls` how many operations
/// there were.
int run_until(int point, int* calls, bool sync_fails, const std::function<bool(FaultVfs&)>& what) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    int count = 0;
    {
      FaultVfs vfs({});
      bool dying = false, sync_will_fail = sync_fails;
      vfs.set_hook([&](const FileCall& call) -> FileAnswer {
        if (dying) ::_exit(kDied);
        const bool fails = sync_will_fail && call.what == FileOperation::kSync && call.file == "run.db-wal";
        if (fails) sync_will_fail = false;
        if (count++ != point) return fails ? FileAnswer{SQLITE_IOERR_FSYNC, EIO, 0} : FileAnswer{};
        if (call.what != FileOperation::kWrite) ::_exit(kDied);
        // Half of the write happens; the next operation, or the error that SQLite makes of it, ends the process.
        dying = true;
        return {SQLITE_IOERR_WRITE, EIO, call.bytes.size() / 2};
      });
      const bool good = what(vfs);
      vfs.set_hook({});
      if (dying) ::_exit(kDied);
      if (!good) ::_exit(kRefused);
    }
    static_cast<void>(!::write(pipe[1], &count, sizeof count));
    ::_exit(kDone);
  }
  ::close(pipe[1]);
  if (::read(pipe[0], calls, sizeof *calls) != static_cast<ssize_t>(sizeof *calls)) *calls = -1;
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Every crash point of `what`, each on a folder that `prepare` made. `least` steps are there before it begins.
void try_every_point(const char* name, const std::function<void(const std::string&)>& prepare,
                     const std::function<bool(const std::string&, FaultVfs&)>& what, std::int64_t least,
                     bool may_be_no_run = false, bool sync_fails = false) {
  log::set_console(false);
  int points = 0;
  {
    const ScratchFolder scratch(memory_disk());
    prepare(scratch.path());
    ASSERT_EQ(run_until(-1, &points, sync_fails, [&](FaultVfs& vfs) { return what(scratch.path(), vfs); }), kDone);
  }
  ASSERT_GT(points, 3);
  int recovered = 0;
  for (int point = 0; point < points; ++point) {
    const ScratchFolder scratch(memory_disk());
    prepare(scratch.path());
    int calls = 0;
    const int status = run_until(point, &calls, sync_fails, [&](FaultVfs& vfs) { return what(scratch.path(), vfs); });
    EXPECT_EQ(status, kDied) << name << ", operation " << point;
    if (may_be_no_run && !std::filesystem::exists(scratch / "run.db")) {
      EXPECT_FALSE(RunReader::open(scratch.path()));
      auto again = RunWriter::create(scratch.path(), test_facts());
      ASSERT_TRUE(again) << name << ", operation " << point << ": " << format(again.error());
      ASSERT_TRUE((*again)->set_run_info(test_info()));
      again->reset();
      ++recovered;
      continue;
    }
    std::int64_t last = 0;
    std::string fault = fault_of_run(scratch.path(), least, &last);
    EXPECT_EQ(fault, "") << name << ", operation " << point << " of " << points;
    auto writer = RunWriter::reopen(scratch.path());
    ASSERT_TRUE(writer) << name << ", operation " << point << ": " << format(writer.error());
    ASSERT_TRUE((*writer)->set_run_info(test_info()));
    EXPECT_TRUE((*writer)->commit(test_batch(last + 1, last + 3)));
    writer->reset();
    EXPECT_EQ(fault_of_run(scratch.path(), last + 3), "") << name << ", operation " << point;
    EXPECT_EQ(quick_check(scratch / "run.db"), "ok");
    if (fault.empty()) ++recovered;
  }
  std::printf("%s: %d of %d crash points recover\n", name, recovered, points);
}

void nothing(const std::string&) {}
void twenty_steps(const std::string& folder) { write_run(folder, 20); }

TEST(CrashPoints, MakingARun) {
  try_every_point(
      "making a run", nothing,
      [](const std::string& folder, FaultVfs& vfs) {
        auto writer = RunWriter::create(folder, test_facts(), small(vfs));
        return writer && (*writer)->set_run_info(test_info()).has_value();
      },
      0, true);
}

TEST(CrashPoints, CommittingMovingTheWalAndClosing) {
  try_every_point(
      "committing, moving the WAL, closing", twenty_steps,
      [](const std::string& folder, FaultVfs& vfs) {
        auto writer = RunWriter::reopen(folder, small(vfs));
        if (!writer) return false;
        for (std::int64_t step = 21; step <= 40; step += 5)
          if (!(*writer)->commit(test_batch(step, step + 4))) return false;
        return true;
      },
      20);
}

TEST(CrashPoints, GoingOnInASecondFile) {
  try_every_point(
      "going on in a second file", twenty_steps,
      [](const std::string& folder, FaultVfs& vfs) {
        auto writer = RunWriter::reopen(folder, small(vfs));
        if (!writer) return false;
        return (*writer)->commit(test_batch(21, 40)).has_value();
      },
      20, false, true);
}

}  // namespace
}  // namespace moescope::record
