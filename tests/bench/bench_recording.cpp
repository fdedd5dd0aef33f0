// bench_recording [CONFIG] [--steps N] [--set key=value]…    without a configuration: the default run
// What recording costs a training step. Two trainers of one configuration take turns of 20 steps in one process, one
// with a run folder and one without; the ratio of each pair of turns is formed, and a 95 % bootstrap interval of their
// median printed. Beside it, free of the machine's noise: the share of the trainer thread's time in the phase "record",
// and what hashing the state costs at the configured spacing.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "app/workbench/paths.h"
#include "core/base/log.h"
#include "core/base/seed.h"
#include "core/moe/method.h"
#include "core/train/trainer.h"

namespace {

using namespace moescope;
using Clock = std::chrono::steady_clock;

constexpr int kStepsPerTurn = 20;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class Side {
 public:
  Side(const config::RunConfig& config, const std::string& folder) : channels_(std::make_shared<bus::Channels>()) {
    train::RunRequest request;
    request.config = config;
    request.folder = folder;
    request.cache_folder = app::cache_folder();
    trainer_ = std::make_unique<train::Trainer>(std::move(request), channels_, train::TrainerHooks{});
    trainer_->prepare({});
  }

  /// Milliseconds of one turn.
  double turn() {
    const auto start = Clock::now();
    for (int i = 0; i < kStepsPerTurn; ++i) {
      trainer_->step();
      record_ms_ += trainer_->clock().ms(train::Phase::kRecord);
      channels_->frames.drain();
    }
    const double ms = ms_since(start);
    total_ms_ += ms;
    return ms;
  }

  double hash_ms() {
    const auto start = Clock::now();
    constexpr int kTimes = 5;
    for (int i = 0; i < kTimes; ++i) static_cast<void>(trainer_->state_hash());
    return ms_since(start) / kTimes;
  }
  double record_share() const { return record_ms_ / total_ms_; }
  double total_ms() const { return total_ms_; }

 private:
  std::shared_ptr<bus::Channels> channels_;
  std::unique_ptr<train::Trainer> trainer_;
  double record_ms_ = 0, total_ms_ = 0;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// The 2.5 % and 97.5 % points of the median over resamples.
std::pair<double, double> interval(const std::vector<double>& values) {
  SeededWords words(1);
  std::vector<double> medians;
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> sample;
    for (std::size_t n = 0; n < values.size(); ++n) sample.push_back(values[words.below(values.size())]);
    medians.push_back(median(std::move(sample)));
  }
  std::sort(medians.begin(), medians.end());
  return {medians[50], medians[1949]};
}

}  // namespace

int main(int argc, char** argv) {
  train::initialise_process();
  log::set_console(false);
  std::string path = app::sample_configs_folder() + "/two_stage_workshop.toml";
  int steps = 400;
  std::vector<std::string> overrides;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--steps" && i + 1 < argc) {
      steps = std::atoi(argv[++i]);
    } else if (word == "--set" && i + 1 < argc) {
      overrides.emplace_back(argv[++i]);
    } else {
      path = word;
    }
  }
  const auto config = config::load_run_config(path, moe::method_catalogue(), overrides);
  if (!config) {
    std::cerr << format(config.error());
    return 2;
  }
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("moescope_bench_recording_" + std::to_string(std::random_device{}()));
  {
    Side plain(*config, ""), recorded(*config, folder.string());
    plain.turn();
    recorded.turn();
    std::vector<double> ratios;
    for (int done = 0; done < steps; done += kStepsPerTurn) {
      const bool first = done / kStepsPerTurn % 2 == 0;  // who goes first takes turns too
      const double before = first ? plain.turn() : 0, with = recorded.turn();
      ratios.push_back(with / (first ? before : plain.turn()));
    }
    const auto [low, high] = interval(ratios);
    std::printf("%s, %d steps each, in turns of %d\n", path.c_str(), steps, kStepsPerTurn);
    std::printf("recorded / not recorded: median %.4f (95 %% interval %.4f to %.4f of %zu pairs)\n", median(ratios),
                low, high, ratios.size());
    std::printf("phase \"record\" on the trainer thread: %.3f %% of the time (%.3f %% without a folder)\n",
                100 * recorded.record_share(), 100 * plain.record_share());
    const double step_ms = plain.total_ms() / (steps + kStepsPerTurn);
    const double hash_ms = recorded.hash_ms();
    std::printf("hash of the state: %.2f ms, every %d steps of %.1f ms: %.3f %%\n", hash_ms, config->record.hash_every,
                step_ms, 100 * hash_ms / (config->record.hash_every * step_ms));
  }
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  std::printf("on disk: %.1f MB\n", static_cast<double>(bytes) / 1e6);
  std::filesystem::remove_all(folder);
  return 0;
}
