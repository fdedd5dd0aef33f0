#pragma once
// A trainer on the test's own thread, driven step by step, with every frame it published.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/train/trainer.h"
#include "tests/core/model/tiny_config.h"
#include "tests/core/model/tiny_corpus.h"

namespace moescope::test {

inline bus::Command command(bus::CommandKind kind) {
  bus::Command made;
  made.kind = kind;
  return made;
}
inline bus::Command on_layer(bus::CommandKind kind, int layer, int expert = -1) {
  bus::Command made = command(kind);
  made.layer = layer;
  made.expert = expert;
  return made;
}
inline bus::Command counted(bus::CommandKind kind, std::int64_t count) {
  bus::Command made = command(kind);
  made.count = count;
  return made;
}
inline bus::Command set(std::string key, config::Value value) {
  bus::Command made = command(bus::CommandKind::kSet);
  made.key = std::move(key);
  made.value = std::move(value);
  return made;
}
inline bus::Command with_text(bus::CommandKind kind, std::string text) {
  bus::Command made = command(kind);
  made.text = std::move(text);
  return made;
}

inline train::TrainerHooks tiny_hooks() {
  train::TrainerHooks hooks;
  hooks.corpus = tiny_corpus();
  return hooks;
}

/// Sends one command, has it served, and returns its reply.
inline bus::Reply answer_to(bus::Command sent, train::Trainer& trainer, bus::Channels& channels) {
  channels.commands.try_push(std::move(sent));
  trainer.serve_commands();
  std::vector<bus::Reply> replies = channels.replies.drain();
  MOESCOPE_ASSERT(replies.size() == 1, "every command gets exactly one reply");
  return replies.front();
}

class Harness {
 public:
  explicit Harness(const config::RunConfig& config, bool watched = true, train::TrainerHooks hooks = tiny_hooks(),
                   std::string folder = {})
      : channels(std::make_shared<bus::Channels>()) {
    log::set_console(false);
    train::RunRequest request;
    request.config = config;
    request.watched = watched;
    request.folder = std::move(folder);
    trainer = std::make_unique<train::Trainer>(std::move(request), channels, std::move(hooks));
    trainer->prepare({});
  }

  bus::Reply send(bus::Command sent) {
    sent.seq = ++seq_;
    return answer_to(std::move(sent), *trainer, *channels);
  }

  void steps(int count) {
    for (int i = 0; i < count; ++i) {
      trainer->step();
      for (telemetry::FramePtr& frame : channels->frames.drain()) frames.push_back(std::move(frame));
    }
  }

  std::uint64_t checksum(const std::string& prefix = {}) const {
    return moe::checksum(trainer->model().parameters().with_prefix(prefix));
  }

  double loss(std::size_t frame) const { return frames.at(frame)->losses.front().value; }

  std::shared_ptr<bus::Channels> channels;
  std::unique_ptr<train::Trainer> trainer;
  std::vector<telemetry::FramePtr> frames;

 private:
  std::uint64_t seq_ = 0;
};

}  // namespace moescope::test
