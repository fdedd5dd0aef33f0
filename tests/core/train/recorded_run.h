#pragma once
// Runs with a folder, driven step by step on the test's own thread, and ended as a kill or a stop would end them.

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/record/run_reader.h"
#include "core/train/trainer.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope::test {

/// Checkpoints every 20 steps, hashes every 10; 60 steps unless `overrides` say otherwise.
inline config::RunConfig recorded_config(const std::string& method, int threads = 1,
                                         std::vector<std::string> overrides = {}) {
  overrides.insert(overrides.begin(), {"train.threads=" + std::to_string(threads), "record.checkpoint_every=20",
                                       "record.hash_every=10", "record.space_every=0"});
  return tiny_config(method, overrides);
}

inline train::RunRequest request_of(const config::RunConfig& config, const std::string& folder) {
  train::RunRequest request;
  request.config = config;
  request.folder = folder;
  return request;
}
inline train::RunRequest continued(const config::RunConfig& config, const std::string& folder) {
  train::RunRequest request = request_of(config, folder);
  request.origin = train::Origin{train::Origin::Use::kContinue, folder};
  return request;
}
inline train::RunRequest forked(const config::RunConfig& config, const std::string& parent, const std::string& folder,
                                std::int64_t step, std::int64_t commands = train::Origin::kNewest) {
  train::RunRequest request = request_of(config, folder);
  request.origin = train::Origin{train::Origin::Use::kFork, parent, step, commands};
  return request;
}

class RecordedRun {
 public:
  explicit RecordedRun(train::RunRequest request, train::TrainerHooks hooks = tiny_hooks())
      : channels(std::make_shared<bus::Channels>()) {
    log::set_console(false);
    trainer = std::make_unique<train::Trainer>(std::move(request), channels, std::move(hooks));
    trainer->prepare({});
  }

  bus::Reply send(bus::Command sent) {
    sent.seq = ++seq_;
    return answer_to(std::move(sent), *trainer, *channels);
  }
  void steps_to(std::int64_t step) {
    while (trainer->steps_done() < step) trainer->step();
  }
  train::StateHash hash() { return trainer->state_hash(); }
  std::string inexact() const { return channels->status.read().inexact; }

  std::shared_ptr<bus::Channels> channels;
  std::unique_ptr<train::Trainer> trainer;

 private:
  std::uint64_t seq_ = 0;
};

/// The names of the tensors that differ, one after another; empty when the states are equal.
inline std::string difference(const train::StateHash& a, const train::StateHash& b) {
  std::string names;
  for (std::size_t i = 0; i < std::max(a.tensors.size(), b.tensors.size()); ++i) {
    const bool same = i < a.tensors.size() && i < b.tensors.size() && a.tensors[i] == b.tensors[i];
    if (!same) names += (i < a.tensors.size() ? a.tensors[i].name : b.tensors[i].name) + ' ';
  }
  return a.hash == b.hash ? std::string() : names.empty() ? "the hash" : names;
}

}  // namespace moescope::test
