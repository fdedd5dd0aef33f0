// bench_train [CONFIG] [--steps N] [--set key=value]…    without a configuration: the default run
// Where a training step spends its time, and what watching costs: one headless and one watched trainer of the same
// configuration take turns in one process, so that a busy machine slows both alike. All view streams are wanted.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/workbench/paths.h"
#include "core/base/log.h"
#include "core/moe/method.h"
#include "core/train/trainer.h"

namespace {

using namespace moescope;
using train::Phase;

constexpr int kStepsPerTurn = 20;
constexpr int kWarmUpTurns = 1;

struct Arguments {
  std::string config;
  int steps = 200;
  std::vector<std::string> overrides;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--steps" && i + 1 < argc) {
      arguments.steps = std::atoi(argv[++i]);
    } else if (word == "--set" && i + 1 < argc) {
      arguments.overrides.emplace_back(argv[++i]);
    } else {
      arguments.config = word;
    }
  }
  if (arguments.config.empty()) arguments.config = app::sample_configs_folder() + "/two_stage_workshop.toml";
  return arguments;
}

/// One trainer and the time it spent.
class Side {
 public:
  Side(const config::RunConfig& config, bool watched) : channels_(std::make_shared<bus::Channels>()) {
    train::RunRequest request;
    request.config = config;
    request.watched = watched;
    request.cache_folder = app::cache_folder();
    trainer_ = std::make_unique<train::Trainer>(std::move(request), channels_, train::TrainerHooks{});
    trainer_->prepare({});
    bus::Command watch;
    watch.kind = bus::CommandKind::kWatch;
    watch.wants = {true, ~std::uint64_t{0}};
    channels_->commands.try_push(watch);
    trainer_->serve_commands();
  }

  void turn(bool counted) {
    for (int i = 0; i < kStepsPerTurn; ++i) {
      trainer_->step();
      if (!counted) continue;
      ++steps_;
      for (std::size_t p = 0; p < train::kNumPhases; ++p) {
        const auto phase = static_cast<Phase>(p);
        if (phase != Phase::kBetween) total_ms_[phase] += trainer_->clock().ms(phase);  // between: the other's turn
      }
      for (const telemetry::FramePtr& frame : channels_->frames.drain()) {
        for (const telemetry::Event& event : frame->events) events_.push_back(event.text);
      }
    }
  }

  double step_ms() const {
    double sum = 0;
    for (const auto& [phase, ms] : total_ms_) sum += ms;
    return sum / steps_;
  }

  void print(const char* title) const {
    const auto tokens = static_cast<double>(trainer_->tokens_per_step());
    std::printf("%-9s %7.1f ms/step  %6.2f steps/s  %8.0f tokens/s\n", title, step_ms(), 1000 / step_ms(),
                1000 / step_ms() * tokens);
    for (const auto& [phase, ms] : total_ms_) {
      if (ms / steps_ < 0.0005) continue;
      std::printf("  %-14s %8.3f ms  %5.1f %%\n", train::phase_name(phase).c_str(), ms / steps_,
                  100 * ms / steps_ / step_ms());
    }
    const double training = of(Phase::kData) + of(Phase::kForward) + of(Phase::kBackward) + of(Phase::kOptimizer);
    std::printf("  watching cost %.2f %% of the step\n", 100 * (of(Phase::kProbe) + of(Phase::kPublish)) / training);
    for (const std::string& event : events_) std::printf("  event: %s\n", event.c_str());
  }

  double of(Phase phase) const { return total_ms_.at(phase); }

 private:
  std::shared_ptr<bus::Channels> channels_;
  std::unique_ptr<train::Trainer> trainer_;
  std::map<Phase, double> total_ms_;
  std::vector<std::string> events_;
  int steps_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  train::initialise_process();
  log::set_console(false);
  const Arguments arguments = parse(argc, argv);
  const auto config = config::load_run_config(arguments.config, moe::method_catalogue(), arguments.overrides);
  if (!config) {
    std::cerr << format(config.error());
    return 2;
  }
  Side headless(*config, false), watched(*config, true);
  for (int turn = 0; turn * kStepsPerTurn < arguments.steps + kWarmUpTurns * kStepsPerTurn; ++turn) {
    headless.turn(turn >= kWarmUpTurns);
    watched.turn(turn >= kWarmUpTurns);
  }
  std::printf("%s, %d steps each, in turns of %d\n", arguments.config.c_str(), arguments.steps, kStepsPerTurn);
  headless.print("headless");
  watched.print("watched");
  std::printf("watched / headless: %.3f of the steps per second\n", headless.step_ms() / watched.step_ms());
  return 0;
}
