#include "core/record/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string>

#include "tests/core/record/scratch_folder.h"

namespace {

std::atomic<bool> noting = false, syncs_fail = false;
std::string noted;  // one letter a call, while `noting`

}  // namespace

// In place of the C library's, so that the order of calls is seen and a failing disk can be made up.
extern "C" int fsync(int descriptor) {
  if (noting) {
    struct stat found {};
    ::fstat(descriptor, &found);
    noted += S_ISDIR(found.st_mode) ? 'd' : 'f';
    if (syncs_fail) {
      errno = EIO;
      return -1;
    }
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

extern "C" int rename(const char* from, const char* to) noexcept {
  if (noting) noted += 'r';
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

namespace moescope::record {
namespace {

class AtomicFileTest : public testing::Test {
 protected:
  AtomicFileTest() {
    noted.clear();
    noting = true;
  }
  ~AtomicFileTest() override { noting = syncs_fail = false; }
  const ScratchFolder scratch;
};

TEST_F(AtomicFileTest, SyncsTheFileThenRenamesItThenSyncsTheFolder) {
  AtomicFile file(scratch / "a");
  file.write("whole");
  EXPECT_FALSE(std::filesystem::exists(scratch / "a"));
  ASSERT_TRUE(file.commit());
  EXPECT_EQ(noted, "frd");
  EXPECT_EQ(content_of(scratch / "a"), "whole");
}

TEST_F(AtomicFileTest, AfterAFailedSyncNothingStandsUnderItsName) {
  fill(scratch / "a", "before");
  syncs_fail = true;
  {
    AtomicFile file(scratch / "a");
    file.write("after");
    const Status done = file.commit();
    ASSERT_FALSE(done);
    EXPECT_EQ(format(done.error()), scratch / "a" + ": error: cannot be written: Input/output error\n");
  }
  EXPECT_EQ(noted, "f");  // not tried again
  EXPECT_EQ(content_of(scratch / "a"), "before");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.path()), {}), 1);
}

TEST_F(AtomicFileTest, WhatAKilledOneLeftIsRemovedAndNothingElse) {
  const std::set<std::string> kept = {"a", "a.tmp", "a.tmpx1", "b.tmp7"};
  for (const std::string& name : kept) fill(scratch / name, "kept");
  fill(scratch / "a.tmp21620", "torn");
  fill(scratch / "a.tmp7", "torn");
  remove_unfinished(scratch / "a");
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
    left.insert(entry.path().filename().string());
  EXPECT_EQ(left, kept);
  remove_unfinished(scratch / "no such folder/a");
}

}  // namespace
}  // namespace moescope::record
