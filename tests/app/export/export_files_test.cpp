#include "app/export/export_files.h"

#include <filesystem>

#include "tests/app/export/small_run.h"

namespace moescope::exports {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(ExportFilesTest, AppearTogetherAtTheEnd) {
  record::ScratchFolder folder;
  ExportFiles files(folder / "deep/out");
  const std::size_t a = files.add("a.txt");
  files.add("more/b.txt");
  files.add("c.bin", [](const std::string& path) { return record::write_new_file(path, "c"); });
  ASSERT_TRUE(files.open(false));
  files.file(a).write("hello");
  EXPECT_FALSE(fs::exists(folder / "deep/out/a.txt"));
  ASSERT_TRUE(files.commit());
  EXPECT_EQ(record::content_of(folder / "deep/out/a.txt"), "hello");
  EXPECT_TRUE(fs::exists(folder / "deep/out/more/b.txt"));
  EXPECT_EQ(record::content_of(folder / "deep/out/c.bin"), "c");
  EXPECT_EQ(files.paths().size(), 3U);
}

TEST(ExportFilesTest, LeaveNothingWithoutCommit) {
  record::ScratchFolder folder;
  {
    ExportFiles files(folder / "deep/out");
    const std::size_t a = files.add("sub/a.txt");
    ASSERT_TRUE(files.open(false));
    files.file(a).write(std::string(1 << 20, 'x'));
  }
  EXPECT_FALSE(fs::exists(folder / "deep"));
  EXPECT_TRUE(fs::exists(folder.path()));
}

TEST(ExportFilesTest, NothingIsOverwrittenUnasked) {
  record::ScratchFolder folder;
  record::fill(folder / "a.txt", "old");
  ExportFiles files(folder.path());
  const std::size_t a = files.add("a.txt");
  files.add("b.txt");
  const Status refused = files.open(false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(format(refused.error()), "error: '" + (folder / "a.txt") +
                                         "' exists already\n"
                                         "hint: --force writes over what an earlier export made; --out names another "
                                         "folder\n");
  ASSERT_TRUE(files.open(true));
  files.file(a).write("new");
  ASSERT_TRUE(files.commit());
  EXPECT_EQ(record::content_of(folder / "a.txt"), "new");
}

TEST(ExportFilesTest, WhatIsLeftOutIsNeitherWrittenNorTold) {
  record::ScratchFolder folder;
  ExportFiles files(folder.path());
  const std::size_t a = files.add("a.txt");
  files.add("b.txt");
  ASSERT_TRUE(files.open(false));
  files.leave_out(a);
  ASSERT_TRUE(files.commit());
  EXPECT_FALSE(fs::exists(folder / "a.txt"));
  EXPECT_EQ(files.paths(), std::vector<std::string>{folder / "b.txt"});
}

TEST(ExportFilesTest, AFolderThatIsAFileIsToldWithTheRemedy) {
  record::ScratchFolder folder;
  record::fill(folder / "file", "");
  ExportFiles files(folder / "file/out");
  files.add("a.txt");
  const Status refused = files.open(false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(format(refused.error()), HasSubstr("file' is a file, not a folder"));
  EXPECT_THAT(format(refused.error()), HasSubstr("name another one with --out"));
}

}  // namespace
}  // namespace moescope::exports
