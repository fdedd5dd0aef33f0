// The power fails at a random moment: of what was written and not yet synced, any part may be on the disk, in any
// order, torn at any sector. One recording is noted call by call; then for every seed a disk is made up from its
// beginning. 200 seeds; 2,000 with MOESCOPE_LONG set.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <map>
#include <random>

#include "core/base/log.h"
#include "tests/core/record/fault_vfs.h"
#include "tests/core/record/read_back.h"

namespace moescope::record {
namespace {

constexpr std::size_t kSector = 512;

/// One file as a disk may hold it.
struct DiskFile {
  std::string durable;
  std::vector<FileCall> pending;  ///< since the last sync
  bool exists = true;
};
using Disk = std::map<std::string, DiskFile>;

void put(std::string& content, const FileCall& call) {
  const auto offset = static_cast<std::size_t>(call.offset);
  if (call.what == FileOperation::kTruncate) return content.resize(offset);
  if (content.size() < offset + call.bytes.size()) content.resize(offset + call.bytes.size());
  content.replace(offset, call.bytes.size(), call.bytes);
}

void put_torn(std::string& content, const FileCall& call, std::mt19937& random) {
  if (call.what != FileOperation::kWrite) return;
  for (std::size_t begin = 0; begin < call.bytes.size(); begin += kSector) {
    if (random() % 2 == 0) continue;
    FileCall part = call;
    part.offset += static_cast<std::int64_t>(begin);
    part.bytes = call.bytes.substr(begin, kSector);
    put(content, part);
  }
}

void replay(Disk& disk, const FileCall& call) {
  DiskFile& file = disk[call.file];
  switch (call.what) {
    case FileOperation::kOpen: file.exists = true; break;
    case FileOperation::kWrite:
    case FileOperation::kTruncate: file.pending.push_back(call); break;
    case FileOperation::kSync:
      for (const FileCall& one : file.pending) put(file.durable, one);
      file.pending.clear();
      break;
    case FileOperation::kDelete: file.exists = false; break;
  }
}

/// Of every write that was not synced: kept, torn or lost.
void cut_power(const Disk& disk, const std::string& folder, std::mt19937& random) {
  for (const auto& [name, file] : disk) {
    if (!file.exists && random() % 2 == 0) continue;  // the deletion itself may not have come through
    std::string content = file.durable;
    for (const FileCall& call : file.pending) {
      switch (random() % 4) {
        case 0:
        case 1: put(content, call); break;
        case 2: put_torn(content, call, random); break;
        default: break;
      }
    }
    fill(folder + '/' + name, content);
  }
}

/// Whether a step, counted from the recording's first call, had been acknowledged.
struct Acknowledged {
  std::size_t calls;
  std::int64_t step;
};

TEST(PowerLoss, NoSyncedStepIsLostAndNoPageIsDamaged) {
  log::set_console(false);
  const ScratchFolder scratch(memory_disk());
  std::vector<FileCall> calls;
  std::vector<Acknowledged> acknowledged;
  Disk begin;
  {
    FaultVfs vfs({});
    WriterOptions options;
    options.vfs = vfs.name();
    options.checkpoint_pages = 12;
    options.wal_limit_bytes = 64 << 10;
    auto made = RunWriter::create(scratch.path(), test_facts(), options);
    ASSERT_TRUE(made) << format(made.error());
    ASSERT_TRUE((*made)->set_run_info(test_info()));
    made->reset();
    begin["run.db"].durable = content_of(scratch / "run.db");
    auto writer = RunWriter::reopen(scratch.path(), options);
    ASSERT_TRUE(writer) << format(writer.error());
    vfs.set_hook([&](const FileCall& call) {
      calls.push_back(call);
      return FileAnswer{};
    });
    std::mt19937 random(1);
    for (std::int64_t step = 1; step <= 300;) {
      const std::int64_t last = step + static_cast<std::int64_t>(random() % 12);
      ASSERT_TRUE((*writer)->commit(test_batch(step, last)));
      acknowledged.push_back({calls.size(), last});
      step = last + 1;
    }
    writer->reset();  // moves the WAL into the file and deletes it
  }
  int wal_restarts = 0;
  for (const FileCall& call : calls)
    wal_restarts += call.file == "run.db-wal" && call.what == FileOperation::kWrite && call.offset == 0 ? 1 : 0;
  EXPECT_GT(wal_restarts, 3);  // the interesting part is in there

  const int seeds = std::getenv("MOESCOPE_LONG") != nullptr ? 2000 : 200;
  int damaged = 0;
  std::int64_t most_beyond = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const std::size_t cut = random() % (calls.size() + 1);
    Disk disk = begin;
    for (std::size_t i = 0; i < cut; ++i) replay(disk, calls[i]);
    std::int64_t least = 0;
    for (const Acknowledged& one : acknowledged)
      if (one.calls <= cut) least = one.step;
    const ScratchFolder after(memory_disk());
    cut_power(disk, after.path(), random);
    std::int64_t last = 0;
    std::string fault = fault_of_run(after.path(), least, &last);
    // And it can be gone on with.
    if (fault.empty()) {
      auto writer = RunWriter::reopen(after.path());
      if (!writer)
        fault = format(writer.error());
      else if (!(*writer)->commit(test_batch(last + 1, last + 5)))
        fault = "cannot be gone on with";
    }
    if (fault.empty()) fault = fault_of_run(after.path(), last + 5);
    if (fault.empty() && quick_check(after / "run.db") != "ok") fault = "quick_check finds damage";
    if (!fault.empty()) ++damaged;
    EXPECT_EQ(fault, "") << "seed " << seed << ", power cut before call " << cut << " of " << calls.size();
    most_beyond = std::max(most_beyond, last - least);
  }
  EXPECT_LE(most_beyond, 12);  // one batch
  std::printf("%d power cuts among %zu file operations (%d starts of the WAL): %d damaged or lost\n", seeds,
              calls.size(), wal_restarts, damaged);
}

}  // namespace
}  // namespace moescope::record
