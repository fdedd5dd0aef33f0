#pragma once
// A folder of its own for each test, and messages without its path.
// Threads: each test makes its own.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/base/diagnostic.h"
#include "core/corpus/corpus.h"

namespace moescope::corpus {

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "corpus_test.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::filesystem::permissions(folder_, std::filesystem::perms::all);  // one test becomes another user
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + '/' + name; }

  std::string write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

  /// The messages as a user sees them, with the test's folder as "DIR".
  std::string message(const Diagnostics& diagnostics) const {
    std::string text = format(diagnostics);
    for (std::size_t at = text.find(folder_); at != std::string::npos; at = text.find(folder_))
      text = text.substr(0, at) + "DIR" + text.substr(at + folder_.size());
    return text;
  }

  CorpusRequest request(const std::string& corpus) const {
    CorpusRequest wanted;
    wanted.data.corpus = corpus;
    wanted.data.tokenizer = "bytes";
    wanted.context = 32;
    wanted.seed = 7;
    wanted.cache_folder = path("cache");
    return wanted;
  }

  std::string failure_of(const CorpusRequest& wanted) const {
    const auto prepared = prepare_corpus(wanted, {});
    return prepared ? "no failure" : message(prepared.error());
  }

 private:
  std::string folder_;
};

/// Root may read everything, so a test run as root becomes somebody else for a moment.
template <class Function>
auto as_ordinary_user(const Function& function) {
  const bool root = ::geteuid() == 0;
  if (root && ::seteuid(65534) != 0) ADD_FAILURE() << "cannot become another user";
  auto result = function();
  if (root && ::seteuid(0) != 0) ADD_FAILURE() << "cannot become root again";
  return result;
}

/// Passages that differ, so that none is a duplicate.
inline std::string passages_of_text(int first, int count) {
  std::string text;
  for (int i = first; i < first + count; ++i)
    text += "Passage " + std::to_string(i) + " tells that " + std::to_string(i * i) + " is the square of " +
            std::to_string(i) + ",\nwhich anyone with a pencil and some patience can check.\n\n";
  return text;
}

}  // namespace moescope::corpus
