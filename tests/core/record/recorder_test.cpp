#include "core/record/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "core/base/log.h"
#include "tests/core/record/fault_vfs.h"
#include "tests/core/record/read_back.h"

namespace moescope::record {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

/// Not answered yet.
CommandRow command_row(int number) { return test_commands(number).back(); }

class RecorderTest : public testing::Test {
 protected:
  RecorderTest() { log::set_console(false); }
  std::unique_ptr<Recorder> record(RecorderOptions options = {}, const WriterOptions& writer_options = {}) {
    auto writer = RunWriter::create(scratch.path(), test_facts(), writer_options);
    EXPECT_TRUE(writer) << (writer ? "" : format(writer.error()));
    EXPECT_TRUE((*writer)->set_run_info(test_info()));
    return std::make_unique<Recorder>(std::move(writer).value(), options);
  }
  std::unique_ptr<RunReader> read() {
    auto reader = RunReader::open(scratch.path());
    EXPECT_TRUE(reader) << (reader ? "" : format(reader.error()));
    return reader ? std::move(reader).value() : nullptr;
  }
  const ScratchFolder scratch;
};

/// Whether `holds` becomes true within ten times the figure that is promised.
template <class Condition>
bool becomes_true(Condition&& holds, std::chrono::milliseconds figure) {
  const auto end = std::chrono::steady_clock::now() + 10 * figure;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

TEST_F(RecorderTest, KeepsEverythingThatWasAddedWhenItGoes) {
  auto recorder = record();
  for (std::int64_t step = 1; step <= 500; ++step) recorder->add(test_frame(step));
  recorder->add(StateHashRow{500, "ab", 0, "", {{"w", 1}}});
  recorder->add(EventRow{500, "notice", "end", "lab"});
  recorder.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 500), "");
  EXPECT_EQ(read()->state_hashes().size(), 1U);
}

TEST_F(RecorderTest, CommitsByItselfAfterAQuarterOfASecond) {
  auto recorder = record();
  recorder->add(test_frame(1));
  EXPECT_TRUE(becomes_true([&] { return read()->last_step() == 1; }, 350ms));
}

TEST_F(RecorderTest, CommitsEverySixtyFourSteps) {
  RecorderOptions options;
  options.commit_every = 1h;
  auto recorder = record(options);
  for (std::int64_t step = 1; step <= 64; ++step) recorder->add(test_frame(step));
  EXPECT_TRUE(becomes_true([&] { return read()->last_step() == 64; }, 100ms));
}

TEST_F(RecorderTest, ALoggedCommandIsInTheFileWhenLogReturns) {
  RecorderOptions options;
  options.commit_every = 1h;
  auto recorder = record(options);
  recorder->add(test_frame(1));
  ASSERT_TRUE(recorder->log(command_row(1)));
  auto reader = read();
  ASSERT_EQ(reader->commands().size(), 1U);
  EXPECT_FALSE(reader->commands()[0].result);
  EXPECT_EQ(reader->last_step(), 1);
  recorder->add(RunBatch::CommandResult{1, {false, "no such layer"}});
  ASSERT_TRUE(recorder->flush());
  EXPECT_EQ(read()->commands()[0].result, (CommandRow::Result{false, "no such layer"}));
}

TEST_F(RecorderTest, OfTheSameNameTheLaterCheckpointRowStays) {
  auto recorder = record();
  std::filesystem::create_directory(scratch / "checkpoints");
  fill(scratch / "checkpoints/a.safetensors", "data");
  recorder->add(CheckpointRow{1, "a.safetensors", 4, "", 0, CheckpointKind::kRegular});
  recorder->forget_checkpoint("a.safetensors");
  recorder->add(CheckpointRow{2, "a.safetensors", 4, "", 0, CheckpointKind::kAsked});
  ASSERT_TRUE(recorder->flush());
  const auto rows = read()->checkpoints();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].step, 2);
}

TEST_F(RecorderTest, WhoAddsWaitsWhileTheRingIsFullAndNothingIsLost) {
  std::atomic<bool> stalled = false;
  FaultVfs vfs([&](const FileCall& call) {
    while (call.file == "run.db-wal" && call.what == FileOperation::kWrite && stalled) std::this_thread::sleep_for(1ms);
    return FileAnswer{};
  });
  RecorderOptions options;
  options.ring_frames = 8;
  options.commit_steps = 4;
  WriterOptions writer_options;
  writer_options.vfs = vfs.name();
  auto recorder = record(options, writer_options);
  stalled = true;
  std::atomic<std::int64_t> added = 0;
  std::thread trainer([&] {
    for (std::int64_t step = 1; step <= 100; ++step) {
      recorder->add(test_frame(step));
      added = step;
    }
  });
  EXPECT_TRUE(becomes_true([&] { return added >= 8; }, 1000ms));
  std::this_thread::sleep_for(150ms);
  EXPECT_EQ(added, 8);
  stalled = false;
  trainer.join();
  recorder.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 100), "");
  int waits = 0;
  for (const EventRow& event : read()->events()) waits += event.text.find("training waited") == 0 ? 1 : 0;
  EXPECT_EQ(waits, 1);
}

TEST_F(RecorderTest, DroppedProbesLeaveGapsThatCountThem) {
  RecorderOptions options;
  options.probe_every = 3;
  auto recorder = record(options);
  for (std::int64_t step = 1; step <= 100; ++step) recorder->add(test_frame(step));  // probes at 10, 20, … 100
  recorder.reset();
  auto reader = read();
  std::int64_t probes = 0, spaces = 0, dropped_probes = 0, dropped_spaces = 0;
  for (const auto& frame : reader->frames(1, 100)) {
    probes += frame->probe ? 1 : 0;
    spaces += static_cast<std::int64_t>(frame->spaces.size());
  }
  for (const GapRow& gap : reader->gaps()) {
    (gap.stream == "probe" ? dropped_probes : dropped_spaces) += gap.dropped;
    EXPECT_EQ(gap.reason, "1 of 3 is kept");
    EXPECT_EQ(gap.first_step, 10);
    EXPECT_EQ(gap.last_step, 100);
  }
  EXPECT_EQ(probes, 3);
  EXPECT_EQ(dropped_probes, 7);
  EXPECT_EQ(spaces + dropped_spaces, 10 * kTestLayers);
}

TEST_F(RecorderTest, AResumedRunKeepsTheProbesOfTheUninterruptedOne) {
  RecorderOptions options;
  options.probe_every = 3;
  auto recorder = record(options);
  std::int64_t step = 0;
  for (const std::int64_t last : {45, 100, 200}) {
    while (step < last) recorder->add(test_frame(++step));
    recorder.reset();
    auto writer = RunWriter::reopen(scratch.path());
    ASSERT_TRUE(writer) << format(writer.error());
    recorder = std::make_unique<Recorder>(std::move(writer).value(), options);
  }
  recorder.reset();
  std::vector<std::int64_t> kept;
  for (const auto& frame : read()->frames(1, 200))
    if (frame->probe) kept.push_back(frame->step);
  EXPECT_EQ(kept, (std::vector<std::int64_t>{30, 60, 90, 120, 150, 180}));
}

TEST_F(RecorderTest, BeyondTheBudgetProbesAreKeptMoreRarelyAndAnEventSaysSo) {
  RecorderOptions options;
  options.probe_budget_bytes = 2000;
  auto recorder = record(options);
  std::int64_t step = 0;
  for (int block = 0; block < 60; ++block) {
    for (int i = 0; i < 100; ++i) recorder->add(test_frame(++step));
    ASSERT_TRUE(recorder->flush());
  }
  recorder.reset();
  auto reader = read();
  std::int64_t probes = 0, dropped = 0, events = 0;
  for (const auto& frame : reader->frames(1, step)) probes += frame->probe ? 1 : 0;
  for (const GapRow& gap : reader->gaps()) dropped += gap.stream == "probe" ? gap.dropped : 0;
  for (const EventRow& event : reader->events()) events += event.kind == "probe_spacing" ? 1 : 0;
  EXPECT_EQ(probes + dropped, step / 10);
  EXPECT_GT(dropped, probes);
  EXPECT_GT(events, 1);
  EXPECT_LT(number_in(scratch / "run.db", "SELECT sum(length(data)) FROM chunk WHERE stream != 'step'"), 40'000);
}

// The disk is full --------------------------------------------------------------------------------------------------

/// A disk that is full while told so, as SQLite's VFS reports it.
class FullDisk {
 public:
  FileAnswer operator()(const FileCall& call) const {
    if (!*full_ || call.what != FileOperation::kWrite) return {};
    return {SQLITE_FULL, 0, call.bytes.size() / 2};
  }
  std::atomic<bool>& full() const { return *full_; }

 private:
  std::shared_ptr<std::atomic<bool>> full_ = std::make_shared<std::atomic<bool>>(false);
};

TEST_F(RecorderTest, WhileTheDiskIsFullRowsAreKeptAndRecordingGoesOnByItself) {
  const FullDisk disk;
  FaultVfs vfs(disk);
  RecorderOptions options;
  options.ring_frames = 100;
  WriterOptions writer_options;
  writer_options.vfs = vfs.name();
  auto recorder = record(options, writer_options);
  for (std::int64_t step = 1; step <= 50; ++step) recorder->add(test_frame(step));
  ASSERT_TRUE(recorder->flush());
  disk.full() = true;
  recorder->add(test_frame(51));
  EXPECT_TRUE(becomes_true([&] { return !recorder->trouble().empty(); }, 1000ms));
  EXPECT_EQ(recorder->trouble(), scratch /
                                     "run.db: cannot be written: No space left on device; free some space, or "
                                     "name a folder on another disk");
  EXPECT_EQ(fault_of_run(scratch.path(), 50), "");
  // Nothing waits now, though there are more frames than the ring holds.
  for (std::int64_t step = 52; step <= 400; ++step) recorder->add(test_frame(step));
  const Status logged = recorder->log(command_row(1));
  ASSERT_FALSE(logged);
  EXPECT_THAT(format(logged.error()), HasSubstr("No space left on device"));
  disk.full() = false;
  EXPECT_TRUE(becomes_true([&] { return recorder->trouble().empty(); }, 2000ms));
  ASSERT_TRUE(recorder->log(command_row(1)));  // its number was free again
  recorder.reset();
  EXPECT_EQ(fault_of_run(scratch.path(), 400), "");
  auto reader = read();
  EXPECT_EQ(reader->commands().size(), 1U);
  std::vector<EventRow> about_disk;
  for (const EventRow& event : reader->events())
    if (event.kind == "disk") about_disk.push_back(event);
  ASSERT_EQ(about_disk.size(), 1U);
  EXPECT_THAT(about_disk[0].text, HasSubstr("No space left on device"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "run.2.db"));
}

TEST_F(RecorderTest, WhenItEndsOnAFullDiskWhatWasDurableStays) {
  const FullDisk disk;
  FaultVfs vfs(disk);
  WriterOptions writer_options;
  writer_options.vfs = vfs.name();
  auto recorder = record({}, writer_options);
  for (std::int64_t step = 1; step <= 20; ++step) recorder->add(test_frame(step));
  ASSERT_TRUE(recorder->flush());
  disk.full() = true;
  for (std::int64_t step = 21; step <= 40; ++step) recorder->add(test_frame(step));
  recorder.reset();
  std::int64_t last = 0;
  EXPECT_EQ(fault_of_run(scratch.path(), 20, &last), "");
  EXPECT_EQ(last, 20);
}

TEST_F(RecorderTest, FlushTriesAgainAtOnceWhenAsked) {
  const FullDisk disk;
  FaultVfs vfs(disk);
  RecorderOptions options;
  options.retry_every = 1h;
  WriterOptions writer_options;
  writer_options.vfs = vfs.name();
  auto recorder = record(options, writer_options);
  disk.full() = true;
  recorder->add(test_frame(1));
  EXPECT_FALSE(recorder->flush());
  disk.full() = false;
  EXPECT_TRUE(recorder->flush());
  EXPECT_EQ(recorder->trouble(), "");
}

}  // namespace
}  // namespace moescope::record
