#pragma once
// Debian packages built by a test and an apt-get that copies them: no network.
// Threads: each test makes its own; PATH is the process's, so one at a time.

#include <cstdlib>
#include <string>

#include "core/corpus/process.h"
#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {

class PackagesTest : public FolderTest {
 protected:
  PackagesTest() : search_path_(std::getenv("PATH")) {
    ::setenv("PATH", (path("bin") + ':' + search_path_).c_str(), 1);
  }
  ~PackagesTest() override { ::setenv("PATH", search_path_.c_str(), 1); }

  /// A shell script found before the real program.
  void program(const std::string& name, const std::string& script) const {
    std::filesystem::permissions(write("bin/" + name, "#!/bin/sh\n" + script), std::filesystem::perms::all);
  }

  /// Makes a package of each folder in "tree", and the apt-get that "fetches" them.
  void build_packages() const {
    for (const auto& tree : std::filesystem::directory_iterator(path("tree"))) build_package(tree.path().filename());
    program("apt-get", "cp " + path("debs") + "/*.deb .\n");
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

 private:
  void build_package(const std::string& name) const {
    write("tree/" + name + "/DEBIAN/control", "Package: " + name +
                                                  "\nVersion: 1.0-1\nArchitecture: all\n"
                                                  "Maintainer: a <a@b.c>\nDescription: made by a test\n");
    std::filesystem::create_directories(path("debs"));
    const auto built = run_process(
        {{"dpkg-deb", "-Znone", "-b", path("tree/" + name), path("debs/" + name + "_1.0-1_all.deb")}, {}, 1 << 20, {}},
        {});
    ASSERT_TRUE(built.has_value());
    ASSERT_EQ(built->exit_code, 0) << built->errors;
  }

  std::string search_path_;
};

}  // namespace moescope::corpus
