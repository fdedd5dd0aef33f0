#pragma once
// Runs the real moescope-cli in a folder of its own and tells what it said. No shell in between.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace moescope::cli {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

/// How the program is started, besides its arguments.
struct Surroundings {
  rlim_t file_limit = RLIM_INFINITY;     ///< no file may grow beyond it, which is like a full disk
  rlim_t address_limit = RLIM_INFINITY;  ///< of its memory, as `ulimit -v` sets it
  std::string stdout_to;                 ///< "": a file whose text is returned; else this path
};

class Program : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "moescope_cli_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + '/' + name; }
  static std::string sample(const std::string& name) {
    return std::string(MOESCOPE_SOURCE_DIR "/sample_configs/") + name;
  }

  static std::string content_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  static std::vector<nlohmann::json> json_lines(const std::string& text) {
    std::vector<nlohmann::json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  /// A run that takes a few seconds at most, on made-up text.
  std::string tiny_config(const std::string& more = {}) const {
    return write("tiny.toml",
                 "name = \"tiny\"\n[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n"
                 "[model]\nnum_layers = 1\nd_model = 16\nnum_heads = 2\ncontext = 16\n"
                 "[moe]\nmethod = \"switch\"\nnum_experts = 4\nexpert_hidden = 16\n"
                 "[train]\nbatch_size = 2\nsteps = 30\nthreads = 1\n" +
                     more);
  }

  pid_t start(const std::vector<std::string>& arguments, const Surroundings& around = {}) const {
    // What an earlier program said must not be taken for the words of this one.
    for (const char* name : {"stdout", "stderr"}) std::filesystem::remove(path(name));
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no process can be had");  // −1 as a target of kill() means everybody
    if (child > 0) return child;
    enter(around);
    if (std::freopen(around.stdout_to.empty() ? path("stdout").c_str() : around.stdout_to.c_str(), "w", stdout) ==
            nullptr ||
        std::freopen(path("stderr").c_str(), "w", stderr) == nullptr)
      ::_exit(99);
    replace(arguments);
  }

  Outcome wait(pid_t child) const {
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), content_of(path("stdout")),
            content_of(path("stderr"))};
  }

  Outcome run(const std::vector<std::string>& arguments, const Surroundings& around = {}) const {
    return wait(start(arguments, around));
  }

  /// The same on a terminal of 120 columns; everything it shows comes in `out`.
  Outcome run_on_terminal(const std::vector<std::string>& arguments) const {
    int terminal = -1;
    winsize size{30, 120, 0, 0};
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) {
      enter({});
      replace(arguments);
    }
    Outcome outcome;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(terminal, buffer.data(), buffer.size())) > 0;)
      outcome.out.append(buffer.data(), static_cast<std::size_t>(got));
    ::close(terminal);
    int status = 0;
    ::waitpid(child, &status, 0);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    return outcome;
  }

  /// Waits until the program's stdout holds `text`; false after a minute.
  bool wait_for_output(const std::string& text) const {
    for (int i = 0; i < 3000; ++i) {
      if (content_of(path("stdout")).find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  std::string folder_;

 private:
  void enter(const Surroundings& around) const {
    ::setenv("MOESCOPE_CACHE", path("cache").c_str(), 1);
    if (::chdir(folder_.c_str()) != 0) ::_exit(98);
    const rlimit file{around.file_limit, around.file_limit}, address{around.address_limit, around.address_limit};
    ::setrlimit(RLIMIT_FSIZE, &file);
    ::setrlimit(RLIMIT_AS, &address);
  }

  [[noreturn]] static void replace(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{MOESCOPE_CLI};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& argument : all) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::execv(MOESCOPE_CLI, pointers.data());
    ::_exit(97);
  }
};

}  // namespace moescope::cli
