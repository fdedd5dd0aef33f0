#include "core/base/log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace moescope {
namespace {

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Log, WritesToTheFileUntilItIsClosed) {
  log::set_console(false);
  const std::string path = testing::TempDir() + "moescope_log_test.txt";
  std::filesystem::remove(path);
  ASSERT_EQ(log::open_file(path), "");
  log::info("step 1");
  log::warning("line\nbreak");
  log::error("{} is no format here");
  log::close_file();
  log::info("too late");
  const std::string text = content_of(path);
  EXPECT_NE(text.find(" info step 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" warning line\\x0Abreak\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" error {} is no format here\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("too late"), std::string::npos);
  std::filesystem::remove(path);
}

TEST(Log, SaysWhyAFileCannotBeOpened) {
  log::set_console(false);
  EXPECT_NE(log::open_file(testing::TempDir()), "");
  log::info("goes nowhere, and does not crash");
}

TEST(Log, GoesToStderrWhereItIsWanted) {
  log::set_console(true);
  testing::internal::CaptureStderr();
  log::info("hello");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "moescope: info: hello\n");
  log::set_console(false);
}

}  // namespace
}  // namespace moescope
