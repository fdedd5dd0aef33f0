#include "core/base/free_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace moescope {
namespace {

namespace fs = std::filesystem;
using Limit = FreeMemory::Limit;

/// A system of files that says what a test wants.
class FreeMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "free-memory-XXXXXX";
    root_ = mkdtemp(name.data());
    write("proc/meminfo", "MemTotal: 16000 kB\nMemAvailable: 9000 kB\nSwapFree: 1000 kB\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void expect(std::int64_t bytes, Limit limit) {
    const FreeMemory free = free_memory(root_, 0);
    EXPECT_EQ(free.bytes, bytes);
    EXPECT_EQ(free.limit, limit);
  }

  fs::path root_;
};

TEST_F(FreeMemoryTest, OfTheMachineCountsSwapSpace) { expect(10'000 * 1024, Limit::kMachine); }

TEST_F(FreeMemoryTest, IsUnknownWhereTheSystemTellsNothing) {
  fs::remove_all(root_ / "proc");
  const FreeMemory free = free_memory(root_, 0);
  EXPECT_EQ(free.limit, Limit::kUnknown);
  EXPECT_GT(free.bytes, std::int64_t{1} << 60);
}

TEST_F(FreeMemoryTest, AGroupAroundTheOwnOneMayBeTheTightest) {
  write("proc/self/cgroup", "0::/batch/job7\n");
  write("sys/fs/cgroup/batch/job7/memory.max", "max\n");
  write("sys/fs/cgroup/batch/job7/memory.current", "1000\n");
  write("sys/fs/cgroup/batch/memory.max", "50000\n");
  write("sys/fs/cgroup/batch/memory.current", "30000\n");
  write("sys/fs/cgroup/batch/memory.stat", "anon 20000\ninactive_file 3000\nactive_file 800\nslab_reclaimable 200\n");
  expect(24'000, Limit::kGroup);
}

TEST_F(FreeMemoryTest, AContainerSeesItsOwnGroupAsTheRoot) {
  write("proc/self/cgroup", "12:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "12000\n");
  write("sys/fs/cgroup/memory/memory.stat", "inactive_file 12000\ntotal_inactive_file 1000\ntotal_active_file 500\n");
  expect(0, Limit::kGroup);
}

TEST_F(FreeMemoryTest, GarbageIsPassedOver) {
  write("proc/self/cgroup", "::\nnonsense\n0::/x\n");
  write("sys/fs/cgroup/x/memory.max", "a lot\n");
  write("proc/self/statm", "1 2");
  expect(10'000 * 1024, Limit::kMachine);
}

TEST_F(FreeMemoryTest, TheLimitOfTheProcessCountsWhatItHas) {
  const std::int64_t page = sysconf(_SC_PAGESIZE);
  write("proc/self/statm", "500 300 200 10 0 100 0\n");
  const std::string head = "Limit                     Soft Limit           Hard Limit           Units\n";
  write("proc/self/limits", head + "Max data size             3000000              unlimited            bytes\n" +
                                "Max address space         unlimited            unlimited            bytes\n");
  expect(3'000'000 - 100 * page, Limit::kProcess);
  write("proc/self/limits", head + "Max address space         2050000              unlimited            bytes\n");
  expect(2'050'000 - 500 * page, Limit::kProcess);
}

TEST_F(FreeMemoryTest, WhatTheAllocatorKeepsIsFreeToo) {
  EXPECT_EQ(free_memory(root_, 5'000).bytes, 10'000 * 1024 + 5'000);
  fs::remove_all(root_ / "proc");
  EXPECT_EQ(free_memory(root_, 5'000).bytes, std::numeric_limits<std::int64_t>::max());
}

TEST(KeptByAllocator, GrowsByWhatIsFreed) {
  constexpr std::size_t kBlock = 100'000, kBlocks = 200;
  std::vector<std::unique_ptr<char[]>> blocks;
  const std::size_t used = mallinfo2().uordblks;
  for (std::size_t b = 0; b < kBlocks; ++b) blocks.push_back(std::make_unique<char[]>(kBlock));
  if (mallinfo2().uordblks < used + kBlock * kBlocks) GTEST_SKIP() << "a sanitizer's allocator, which tells nothing";
  const std::int64_t before = kept_by_allocator();
  const std::unique_ptr<char[]> last = std::make_unique<char[]>(kBlock);  // nothing goes back from below it
  blocks.clear();
  EXPECT_GT(kept_by_allocator() - before, static_cast<std::int64_t>(kBlock * (kBlocks - 2)));
}

TEST_F(FreeMemoryTest, OfThisMachineIsPlausible) {
  const FreeMemory free = free_memory();
  EXPECT_GT(free.bytes, 1'000'000);
  EXPECT_NE(free.limit, Limit::kUnknown);
}

TEST(FreeMemoryWords, NameTheLimit) {
  EXPECT_EQ(in_words(Limit::kProcess, "1.0 GB"), "the limit of this process (ulimit) leaves 1.0 GB");
}

}  // namespace
}  // namespace moescope
