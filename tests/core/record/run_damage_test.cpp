// A small run file and a checkpoint with each byte flipped and cut at each length: an error or a told damage, never a
// crash, and never a frame that is not the one written. The fast suite takes a sample; MOESCOPE_EVERY_BYTE=1 takes all.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <map>

#include "core/base/seed.h"
#include "core/record/run_reader.h"
#include "core/record/safetensors.h"
#include "core/telemetry/frame_bytes.h"
#include "tests/core/record/recorded_run.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSteps = 130;

bool every_byte() { return std::getenv("MOESCOPE_EVERY_BYTE") != nullptr; }

std::string without_events(const telemetry::TelemetryFrame& frame) {
  telemetry::TelemetryFrame bare = frame;
  bare.events.clear();
  return telemetry::frame_bytes(bare);
}

class RunDamage : public testing::Test {
 protected:
  RunDamage() {
    write_run(folder_, kSteps);
    whole_ = content_of(file_);
    for (std::int64_t step = 1; step <= kSteps; ++step) written_[step] = without_events(*test_frame(step));
    const auto reader = RunReader::open(folder_);
    for (const CommandRow& row : (*reader)->commands()) hashes_.push_back(row.hash);
  }

  /// Opens the file as it is now and reads all of it. Returns how many steps came back whole.
  int expect_no_lies(const std::string& what) {
    const auto reader = RunReader::open(folder_);
    if (!reader) {
      EXPECT_GT(reader.error().front().message.size(), 4U) << what;
      return 0;
    }
    int whole = 0, bare = 0;
    const bool described = telemetry::run_info_bytes((*reader)->info()) == telemetry::run_info_bytes(test_info());
    for (const auto& frame : (*reader)->frames(0, std::numeric_limits<std::int64_t>::max())) {
      const bool equal = written_.contains(frame->step) && without_events(*frame) == written_.at(frame->step);
      ++(equal ? whole : bare);
    }
    const bool told = !(*reader)->damages().empty();
    if (whole < kSteps || bare > 0) {
      EXPECT_TRUE(told || !described) << what << ": " << whole << " whole, " << bare << " others, and nothing said";
    }
    std::vector<std::string> hashes;
    for (const CommandRow& row : (*reader)->commands()) hashes.push_back(row.hash);
    if (hashes != hashes_) {
      EXPECT_FALSE((*reader)->journal_problem().empty() && (*reader)->damages().empty()) << what;
    }
    (*reader)->events();
    (*reader)->gaps();
    (*reader)->state_hashes();
    (*reader)->checkpoints();
    (*reader)->last_step();
    return whole;
  }

  ScratchFolder scratch_;
  std::string folder_ = scratch_ / "run", file_ = folder_ + "/run.db";
  std::string whole_;
  std::map<std::int64_t, std::string> written_;
  std::vector<std::string> hashes_;
};

TEST_F(RunDamage, AFlippedByteIsAnErrorOrTold) {
  const std::size_t stride = every_byte() ? 1 : whole_.size() / 500;
  std::fstream file(file_, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t at, char value) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(value);
    file.flush();
  };
  SeededWords words(5);
  std::int64_t whole = 0, rounds = 0;
  for (std::size_t at = 0; at < whole_.size(); at += every_byte() ? 1 : 1 + words.below(2 * stride)) {
    // Empty parts of pages say nothing; the sample looks where something stands.
    if (!every_byte() && whole_[at] == 0 && at % 16 != 0) continue;
    put(at, static_cast<char>(whole_[at] ^ static_cast<char>(1 + words.below(255))));
    whole += expect_no_lies("byte " + std::to_string(at));
    ++rounds;
    put(at, whole_[at]);
  }
  RecordProperty("rounds", static_cast<int>(rounds));
  EXPECT_GT(whole, rounds * kSteps / 2) << "most of a run with one damaged byte is still readable";
}

TEST_F(RunDamage, ACutFileShowsWhatLiesInIt) {
  std::vector<std::size_t> lengths;
  if (every_byte()) {
    for (std::size_t length = 0; length < whole_.size(); ++length) lengths.push_back(length);
  } else {
    SeededWords words(6);
    for (std::size_t page = 0; page < whole_.size(); page += 8192)
      for (const std::size_t length : {page, page + 1, page + words.below(8192)}) lengths.push_back(length);
  }
  int best = 0;
  for (const std::size_t length : lengths) {
    if (length >= whole_.size()) continue;
    fill(file_, whole_.substr(0, length));
    best = std::max(best, expect_no_lies("cut at " + std::to_string(length)));
  }
  EXPECT_GT(best, 60) << "a file cut near its end still has its first chunk";
}

TEST_F(RunDamage, AWalWithFlippedBytesIsReadAsFarAsItIsWhole) {
  const std::string live = scratch_ / "live";
  auto writer = begin_run(live, kSteps);
  // The files as they would lie there after a crash.
  fs::remove_all(folder_);
  fs::copy(live, folder_, fs::copy_options::recursive);
  writer.reset();
  const std::string wal = content_of(folder_ + "/run.db-wal");
  ASSERT_FALSE(wal.empty());
  SeededWords words(8);
  for (int round = 0; round < (every_byte() ? 2000 : 60); ++round) {
    std::string garbled = wal;
    garbled[words.below(wal.size())] ^= static_cast<char>(1 + words.below(255));
    if (round % 3 == 0) garbled.resize(words.below(wal.size()));
    fill(folder_ + "/run.db-wal", garbled);
    // SQLite ends a WAL at its first bad frame, as it must after a power failure: an older state, and no lie.
    const auto reader = RunReader::open(folder_);
    if (!reader) continue;
    for (const auto& frame : (*reader)->frames(0, 1000))
      ASSERT_EQ(without_events(*frame), written_.at(frame->step)) << round;
  }
}

TEST_F(RunDamage, ADamagedCheckpointIsAnErrorOrHasItsShape) {
  const std::string path = scratch_ / "c.safetensors";
  ASSERT_TRUE(write_safetensors(path,
                                {{"model/a", "F32", {2, 2}, std::vector<std::uint8_t>(16, 1)},
                                 {"optim/a/step", "I64", {}, std::vector<std::uint8_t>(8, 2)}},
                                {{"step", "12"}}));
  const std::string whole = content_of(path);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string garbled = whole;
      garbled[at] = static_cast<char>(garbled[at] ^ (1 << bit));
      fill(path, garbled);
      const auto file = read_safetensors(path);
      if (!file) continue;
      ASSERT_EQ(file->blocks.size(), 2U) << at;
      ASSERT_EQ(file->blocks[0].bytes.size() + file->blocks[1].bytes.size(), 24U) << at;
    }
    fill(path, whole.substr(0, at));
    ASSERT_FALSE(read_safetensors(path)) << at;
  }
}

}  // namespace
}  // namespace moescope::record
