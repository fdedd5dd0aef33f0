// Disks that fail: writes, syncs, limits, folders that may not be written to; and readers that hold on to old states.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <thread>

#include "core/base/log.h"
#include "core/record/recorder.h"
#include "tests/core/record/fault_vfs.h"
#include "tests/core/record/full_disk.h"
#include "tests/core/record/read_back.h"

namespace moescope::record {
namespace {

using testing::HasSubstr;

class RecorderFaults : public testing::Test {
 protected:
  RecorderFaults() { log::set_console(false); }
  std::unique_ptr<RunWriter> create(const std::string& folder, const WriterOptions& options = {}) {
    auto writer = RunWriter::create(folder, test_facts(), options);
    EXPECT_TRUE(writer) << (writer ? "" : format(writer.error()));
    if (!writer) return nullptr;
    EXPECT_TRUE((*writer)->set_run_info(test_info()));
    return std::move(writer).value();
  }
};

/// Fails by chance, and notes whether a file was touched again after one of its syncs had failed.
class BadDisk {
 public:
  BadDisk(unsigned seed, unsigned sync_percent, unsigned write_permille)
      : random_(seed), sync_percent_(sync_percent), write_permille_(write_permille) {}

  FileAnswer operator()(const FileCall& call) {
    const bool writes = call.what == FileOperation::kWrite || call.what == FileOperation::kSync ||
                        call.what == FileOperation::kTruncate;
    // A new file under the name of one that was taken back is another file.
    if (call.what == FileOperation::kOpen || call.what == FileOperation::kDelete) failed_.erase(call.file);
    // What is not finished is thrown away as a whole when it fails, so that SQLite may roll back in it.
    const bool unfinished = call.file.find(".new") != std::string::npos;
    if (!writes) return {};
    if (!unfinished && failed_.contains(base_of(call.file))) ++touched_again;
    if (call.what == FileOperation::kSync && random_() % 100 < sync_percent_) {
      ++failures;
      failed_.insert(base_of(call.file));
      return {SQLITE_IOERR_FSYNC, EIO, 0};
    }
    if (call.what == FileOperation::kWrite && random_() % 1000 < write_permille_) {
      ++failures;
      failed_.insert(base_of(call.file));
      return {SQLITE_IOERR_WRITE, EIO, call.bytes.size() / 3};
    }
    return {};
  }

  int failures = 0, touched_again = 0;

 private:
  static std::string base_of(const std::string& file) {
    return file.ends_with("-wal") ? file.substr(0, file.size() - 4) : file;
  }
  std::mt19937 random_;
  unsigned sync_percent_, write_permille_;
  std::set<std::string> failed_;
};

TEST_F(RecorderFaults, AfterAFailedSyncTheFileIsLeftAloneAndNothingIsFalselyDurable) {
  const int runs = std::getenv("MOESCOPE_LONG") != nullptr ? 500 : 100;
  int failures = 0, touched = 0, files = 0, refused = 0;
  for (int run = 0; run < runs; ++run) {
    const ScratchFolder scratch(memory_disk());
    auto disk = std::make_shared<BadDisk>(static_cast<unsigned>(run), 5, 10);
    FaultVfs vfs({});
    WriterOptions options;
    options.vfs = vfs.name();
    options.checkpoint_pages = 10;
    auto writer = create(scratch.path(), options);
    vfs.set_hook([disk](const FileCall& call) { return (*disk)(call); });
    std::int64_t step = 0;
    for (int commit = 0; commit < 30; ++commit) {
      const std::int64_t first = step + 1, last = step + 4;
      if (writer->commit(test_batch(first, last)))
        step = last;
      else
        ++refused;
    }
    writer.reset();
    failures += disk->failures;
    touched += disk->touched_again;
    files += static_cast<int>(std::distance(std::filesystem::directory_iterator(scratch.path()), {}));
    EXPECT_EQ(fault_of_run(scratch.path(), step), "") << "run " << run;
    EXPECT_EQ(disk->touched_again, 0) << "run " << run;
  }
  EXPECT_GT(failures, runs / 2);
  std::printf("%d runs, %d failed syncs and writes, %d commits refused, %d writes to a file after its failure\n", runs,
              failures, refused, touched);
}

TEST_F(RecorderFaults, GoingOnInTheNextFileIsAnEventAndKeepsTheJournal) {
  const ScratchFolder scratch;
  bool fail = false;
  FaultVfs vfs([&](const FileCall& call) {
    if (!fail || call.what != FileOperation::kSync || call.file != "run.db-wal") return FileAnswer{};
    return FileAnswer{SQLITE_IOERR_FSYNC, EIO, 0};
  });
  WriterOptions options;
  options.vfs = vfs.name();
  auto writer = create(scratch.path(), options);
  RunBatch first = test_batch(1, 10);
  const auto commands = test_commands(2);
  first.commands = {commands[0], commands[1]};
  first.events = {{10, "notice", "before", "lab"}};
  ASSERT_TRUE(writer->commit(first));
  fail = true;
  RunBatch second = test_batch(11, 20);
  second.results = {{2, {true, "answered in the second file"}}};
  ASSERT_TRUE(writer->commit(second));
  ASSERT_TRUE(writer->commit(test_batch(21, 30)));
  writer.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 30), "");
  auto reader = RunReader::open(scratch.path());
  ASSERT_TRUE(reader);
  const auto rows = (*reader)->commands();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].result, (CommandRow::Result{true, "answered in the second file"}));
  const auto events = (*reader)->events();
  ASSERT_EQ(events.size(), 3U);  // "before", the file, and the made-up one of step 30
  EXPECT_EQ(events[1].kind, "disk");
  EXPECT_EQ(events[1].text, "run.db cannot be written: Input/output error; recording goes on in run.2.db");

  auto again = RunWriter::reopen(scratch.path());
  ASSERT_TRUE(again) << format(again.error());
  EXPECT_EQ((*again)->last_step(), 30);
  EXPECT_EQ((*again)->last_command(), 2);
  ASSERT_TRUE((*again)->commit(test_batch(31, 60)));
  again->reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 60), "");
}

TEST_F(RecorderFaults, ARunOfTwoFilesIsGoneOnWithWhereItStood) {
  for (const int answered : {1, 2}) {
    const ScratchFolder scratch;
    bool fail = false;
    FaultVfs vfs([&](const FileCall& call) {
      const bool fails = fail && call.what == FileOperation::kSync && call.file == "run.db-wal";
      return fails ? FileAnswer{SQLITE_IOERR_FSYNC, EIO, 0} : FileAnswer{};
    });
    WriterOptions options;
    options.vfs = vfs.name();
    auto writer = create(scratch.path(), options);
    const auto commands = test_commands(2);  // the second one is not answered
    RunBatch first = test_batch(1, 10);
    first.commands = commands;
    if (answered == 2) first.results = {{2, {true, "in the first file"}}};
    ASSERT_TRUE(writer->commit(first));
    fail = true;
    RunBatch second;  // without a frame, so that only the first file knows the last step
    second.events = {{10, "notice", "one", "lab"}};
    ASSERT_TRUE(writer->commit(second));
    writer.reset();

    auto again = RunWriter::reopen(scratch.path());
    ASSERT_TRUE(again) << format(again.error());
    EXPECT_EQ((*again)->last_step(), 10);
    EXPECT_EQ((*again)->last_command(), 2);
    RunBatch third = test_batch(11, 20);
    if (answered == 1) third.results = {{2, {true, "in the second file"}}};
    ASSERT_TRUE((*again)->commit(third));
    again->reset();
    EXPECT_EQ(fault_of_run(scratch.path(), 20), "");
    auto reader = RunReader::open(scratch.path());
    ASSERT_TRUE(reader);
    ASSERT_EQ((*reader)->commands().size(), 2U);
    EXPECT_TRUE((*reader)->commands()[1].result);
  }
}

TEST_F(RecorderFaults, AQuotaIsWaitedForInTheSameFile) {
  const ScratchFolder scratch;
  bool full = false;
  FaultVfs vfs([&](const FileCall& call) {
    if (!full || call.what != FileOperation::kWrite) return FileAnswer{};
    return FileAnswer{SQLITE_IOERR_WRITE, EDQUOT, 0};
  });
  WriterOptions options;
  options.vfs = vfs.name();
  auto writer = create(scratch.path(), options);
  full = true;
  const Status refused = writer->commit(test_batch(1, 10));
  ASSERT_FALSE(refused);
  EXPECT_EQ(format(refused.error()), scratch / "run.db" +
                                         ": error: cannot be written: Disk quota exceeded\n"
                                         "hint: free some space, or name a folder on another disk\n");
  full = false;
  ASSERT_TRUE(writer->commit(test_batch(1, 10)));
  writer.reset();
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.2.db"));
  EXPECT_EQ(fault_of_run(scratch.path(), 10), "");
}

TEST_F(RecorderFaults, OnADeadDiskNoFilesPileUp) {
  const ScratchFolder scratch;
  bool fail = false;
  FaultVfs vfs([&](const FileCall& call) {
    return fail && call.what == FileOperation::kSync ? FileAnswer{SQLITE_IOERR_FSYNC, EIO, 0} : FileAnswer{};
  });
  WriterOptions options;
  options.vfs = vfs.name();
  auto writer = create(scratch.path(), options);
  ASSERT_TRUE(writer->commit(test_batch(1, 10)));
  fail = true;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(writer->commit(test_batch(11, 20)));
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.2.db"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.2.db.new"));
  fail = false;
  ASSERT_TRUE(writer->commit(test_batch(11, 20)));
  writer.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 20), "");
}

/// In a process of its own, since limits and users are the process's.
int in_own_process(const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(what());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(RecorderFaults, ARealLimitOnFileSizesIsWaitedForLikeAFullDisk) {
  const ScratchFolder scratch;
  auto writer = create(scratch.path());
  ASSERT_TRUE(writer->commit(test_batch(1, 10)));
  writer.reset();
  const int result = in_own_process([&] {
    auto reopened = RunWriter::reopen(scratch.path());
    if (!reopened) return 1;
    Recorder recorder(std::move(*reopened));
    std::optional<FullDisk> full(40'000);
    for (std::int64_t step = 11; step <= 400; ++step) recorder.add(test_frame(step));
    if (recorder.flush()) return 2;
    if (recorder.trouble().find("File too large") == std::string::npos) return 3;
    full.reset();
    for (int i = 0; i < 2000 && !recorder.trouble().empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return recorder.trouble().empty() ? 0 : 4;
  });
  EXPECT_EQ(result, 0);
  EXPECT_EQ(fault_of_run(scratch.path(), 400), "");
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.2.db"));
}

TEST_F(RecorderFaults, AFolderThatMayNotBeWrittenToIsAMessage) {
  const ScratchFolder scratch;
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0555));
  const int result = in_own_process([&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) return 0;  // no other user here: nothing to try
    const auto writer = RunWriter::create(scratch.path(), test_facts());
    if (writer) return 1;
    const std::string expected = scratch / "lock" +
                                 ": error: cannot be written: Permission denied\n"
                                 "hint: name a folder that you may write to\n";
    return format(writer.error()) == expected ? 0 : 2;
  });
  EXPECT_EQ(result, 0);
  std::filesystem::permissions(scratch.path(), std::filesystem::perms::owner_all);
}

TEST_F(RecorderFaults, AFolderThatVanishesIsToldAndNothingHangs) {
  const ScratchFolder scratch;
  const std::string folder = scratch / "run";
  std::filesystem::create_directory(folder);
  const auto begin = std::chrono::steady_clock::now();
  {
    Recorder recorder(create(folder));
    recorder.add(test_frame(1));
    ASSERT_TRUE(recorder.flush());
    std::filesystem::remove_all(folder);
    recorder.add(test_frame(2));
    const Status gone = recorder.flush();
    ASSERT_FALSE(gone);
    EXPECT_THAT(format(gone.error()), HasSubstr("the folder of this run has gone"));
    EXPECT_THAT(recorder.trouble(), HasSubstr("the folder of this run has gone"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(50));  // ten times its figure
  EXPECT_FALSE(std::filesystem::exists(folder));
}

/// Somebody else's connection that keeps the state of this moment open.
class PinnedReader {
 public:
  explicit PinnedReader(const std::string& path) {
    sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr);
    sqlite3_exec(database_, "BEGIN; SELECT count(*) FROM chunk", nullptr, nullptr, nullptr);
  }
  PinnedReader(const PinnedReader&) = delete;
  PinnedReader& operator=(const PinnedReader&) = delete;
  ~PinnedReader() { sqlite3_close(database_); }

 private:
  sqlite3* database_ = nullptr;
};

TEST_F(RecorderFaults, AReaderThatNeverLetsGoDoesNotMakeTheWalGrow) {
  const ScratchFolder scratch;
  WriterOptions options;
  std::int64_t steps_at_once = 10;
  auto least = std::chrono::seconds(0);
  auto pause = std::chrono::milliseconds(0);
  if (std::getenv("MOESCOPE_LONG") != nullptr) {
    steps_at_once = 64;
    least = std::chrono::seconds(60);
    pause = std::chrono::milliseconds(5);  // else it is more steps than can be looked at afterwards
  } else {
    options.wal_limit_bytes = 1 << 20;
    options.checkpoint_pages = 32;
  }
  auto writer = create(scratch.path(), options);
  ASSERT_TRUE(writer->commit(test_batch(1, 10)));
  std::uintmax_t largest = 0;
  std::int64_t last = 10;
  {
    const PinnedReader reader(scratch / "run.db");
    const auto begin = std::chrono::steady_clock::now();
    const auto goes_on = [&] {
      return last < 3000 || !std::filesystem::exists(scratch / "run.2.db") ||
             std::chrono::steady_clock::now() - begin < least;
    };
    for (; goes_on(); last += steps_at_once) {
      ASSERT_TRUE(writer->commit(test_batch(last + 1, last + steps_at_once)));
      std::this_thread::sleep_for(pause);
      ASSERT_LT(last, 2'000'000) << "the writer never left the file that is held";
      for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
        if (entry.path().string().ends_with("-wal")) largest = std::max(largest, entry.file_size());
    }
  }
  writer.reset();
  EXPECT_LE(largest, static_cast<std::uintmax_t>(options.wal_limit_bytes) + (256 << 10));  // and one commit
  EXPECT_EQ(fault_of_run(scratch.path(), last), "");
  std::printf("with a reader that never lets go the WAL grew to %ju of %lld bytes in %lld steps\n", largest,
              static_cast<long long>(options.wal_limit_bytes), static_cast<long long>(last));
}

TEST_F(RecorderFaults, ReadersOfOurOwnLeaveTheWalSmall) {
  const ScratchFolder scratch;
  WriterOptions options;
  options.checkpoint_pages = 32;
  auto writer = create(scratch.path(), options);
  ASSERT_TRUE(writer->commit(test_batch(1, 10)));
  auto reader = RunReader::open(scratch.path());
  ASSERT_TRUE(reader);
  std::uintmax_t largest = 0;
  for (std::int64_t step = 11; step <= 2000; step += 10) {
    ASSERT_TRUE(writer->commit(test_batch(step, step + 9)));
    static_cast<void>((*reader)->frames(step - 10, step));
    largest = std::max(largest, std::filesystem::file_size(scratch / "run.db-wal"));
  }
  EXPECT_LT(largest, 2U << 20);
  writer.reset();
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.2.db"));
  EXPECT_EQ(fault_of_run(scratch.path(), 2000), "");
}

}  // namespace
}  // namespace moescope::record
