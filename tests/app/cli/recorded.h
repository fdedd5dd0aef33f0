#pragma once
// Runs of the real program and what they left: frames, hashes, weights, and the bytes of a whole folder.

#include <sqlite3.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/record/run_reader.h"
#include "core/telemetry/frame_difference.h"
#include "tests/app/cli/program.h"

namespace moescope::cli {

class Recorded : public Program {
 protected:
  /// Two blocks of width 32 on made-up text; hashes and checkpoints close together.
  std::string config(const std::string& method, int steps = 60, const std::string& more = {}) const {
    return write(method + ".toml", "name = \"" + method +
                                       "\"\n[data]\ncorpus = \"synthetic\"\ntokenizer = \"bytes\"\n"
                                       "[model]\nnum_layers = 2\nd_model = 32\nnum_heads = 2\ncontext = 16\n"
                                       "[moe]\nmethod = \"" +
                                       method + "\"\nnum_experts = 4\nexpert_hidden = 16\nlayers = \"1,2\"\n" + more +
                                       "[train]\nbatch_size = 2\nsteps = " + std::to_string(steps) +
                                       "\nthreads = 1\nvalidate_every = 20\n[probe]\ntokens = 32\nevery = 5\n"
                                       "[record]\nhash_every = 4\ncheckpoint_every = 20\n");
  }

  Outcome train(const std::string& config_file, const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"train", config_file, "--out", path(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  /// While another one runs, whose stdout and stderr stay what they are.
  Outcome run_beside(const std::vector<std::string>& arguments) {
    const std::string mine = std::exchange(folder_, path("beside"));
    std::filesystem::create_directories(folder_);
    Outcome outcome = run(arguments);
    folder_ = mine;
    return outcome;
  }

  std::unique_ptr<record::RunReader> open(const std::string& name) const {
    auto reader = record::RunReader::open(path(name));
    if (!reader) throw std::runtime_error(format(reader.error()));  // the test fails with this text
    return std::move(*reader);
  }

  std::string weights(const std::string& name) const {
    const std::string bytes = content_of(path(name + "/final.safetensors"));
    EXPECT_GT(bytes.size(), 1000U) << name;
    return bytes;
  }

  /// Steps `first` to `last` of two runs are the same training: every frame, and the state wherever both hashed it.
  void expect_same_training(const std::string& a, const std::string& b, std::int64_t first, std::int64_t last) const {
    const auto one = open(a), two = open(b);
    const auto frames = one->frames(first, last), others = two->frames(first, last);
    ASSERT_EQ(frames.size(), static_cast<std::size_t>(last - first + 1)) << a;
    ASSERT_EQ(others.size(), frames.size()) << b;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      ASSERT_EQ(frames[i]->step, others[i]->step);
      ASSERT_EQ(telemetry::difference(*frames[i], *others[i]), "") << a << " and " << b << ", step " << frames[i]->step;
    }
    const auto hashes = hashes_of(*one, first, last), other_hashes = hashes_of(*two, first, last);
    int compared = 0;
    for (const auto& [step, hash] : hashes) {
      const auto found = other_hashes.find(step);
      if (found == other_hashes.end()) continue;
      EXPECT_EQ(found->second, hash) << a << " and " << b << ", step " << step;
      ++compared;
    }
    EXPECT_GE(compared, (last - first + 1) / 4 - 1);
    EXPECT_TRUE(one->damages().empty() && two->damages().empty());
  }

  static std::map<std::int64_t, std::string> hashes_of(record::RunReader& run, std::int64_t first, std::int64_t last) {
    std::map<std::int64_t, std::string> hashes;
    for (const record::StateHashRow& row : run.state_hashes())
      if (row.step >= first && row.step <= last) hashes[row.step] = row.hash;
    return hashes;
  }

  /// Every file below a folder with its bytes.
  std::map<std::string, std::string> bytes_of(const std::string& name) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(name)))
      if (entry.is_regular_file()) files[entry.path().lexically_relative(path(name))] = content_of(entry.path());
    return files;
  }

  /// Changes a run file behind the program's back.
  void tamper(const std::string& name, const std::string& sql) const {
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open_v2(path(name + "/run.db").c_str(), &file, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << (problem ? problem : "");
    EXPECT_GT(sqlite3_total_changes(file), sql.starts_with("PRAGMA") ? -1 : 0) << sql << " changed nothing";
    sqlite3_free(problem);
    sqlite3_close(file);
  }

  void copy_run(const std::string& from, const std::string& to) const {
    std::filesystem::copy(path(from), path(to), std::filesystem::copy_options::recursive);
  }

  nlohmann::json verdict(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"replay", path(name), "--verify", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    auto json = nlohmann::json::parse(outcome.out, nullptr, false);
    if (!json.is_object()) json = nlohmann::json::object();
    json["code"] = outcome.code;
    json["err"] = outcome.err;
    return json;
  }
};

}  // namespace moescope::cli
