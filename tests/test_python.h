#pragma once
// Files of ours read by other people's programs: the Python environment of resources/requirements-test.txt, which
// `./lab test` makes and names in MOESCOPE_TEST_PYTHON.

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace moescope {

/// The interpreter; empty: this test program was started by hand, without ./lab test.
inline std::string test_python() {
  const char* python = std::getenv("MOESCOPE_TEST_PYTHON");
  return python ? python : "";
}

#define MOESCOPE_NEEDS_TEST_PYTHON() \
  if (::moescope::test_python().empty()) GTEST_SKIP() << "MOESCOPE_TEST_PYTHON is not set; ./lab test sets it"

/// What `script` prints, stderr included; a script that fails fails the test.
inline std::string run_test_python(const std::string& script, const std::vector<std::string>& arguments) {
  std::string file = (std::filesystem::temp_directory_path() / "moescope_script_XXXXXX").string();
  ::close(::mkstemp(file.data()));
  std::ofstream(file) << script;
  std::string command = "'" + test_python() + "' -I '" + file + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  std::FILE* python = ::popen((command + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), python)) output += buffer.data();
  EXPECT_EQ(::pclose(python), 0) << output;
  std::filesystem::remove(file);
  return output;
}

}  // namespace moescope
