#include "core/record/retention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>
#include <vector>

namespace moescope::record {
namespace {

// Bytes on disk of one number, packed. Losses and gates are noise to a compressor; counts and choices are not.
constexpr double kScalar = 8;
constexpr double kCount = 1.2;
constexpr double kChoice = 0.9;
constexpr double kFloat = 3.7;
constexpr double kLayerBytes = 45;   // entropy, agreement, the histogram of margins
constexpr double kStepScalars = 10;  // losses, learning rate, gradient norm, times
constexpr std::int64_t kEmptyFile = 120'000;
constexpr std::int64_t kInfoPerToken = 40;
constexpr std::int64_t kMegabyte = 1 << 20;  // as record.probe_budget counts
constexpr int kMostShown = 2000;             // tokens in one router space

std::int64_t rounded(double bytes) { return static_cast<std::int64_t>(std::min(bytes, 9e18)); }

/// Beyond the budget every second is kept, beyond twice the budget every fourth, and so on.
double thinned(double bytes, double budget) { return bytes <= budget ? bytes : budget * std::log2(bytes / budget + 1); }

double probe_bytes(const config::RunConfig& config, const RunSize& size) {
  const double tokens = config.probe.tokens;
  const double per_probe = size.num_layers * tokens * (kChoice + 2 * kFloat + kChoice);
  const double shown = std::min<double>(tokens, kMostShown);
  const double per_spaces =
      size.num_layers * ((shown + config.moe.num_experts) * size.router_space_dim * kFloat + shown * 2);
  const double probes = std::ceil(static_cast<double>(config.train.steps) / std::max(1, config.probe.every) /
                                  std::max(1, config.record.probe_every));
  const double spaces = config.record.space_every > 0 ? std::ceil(probes / config.record.space_every) : 0;
  return thinned(probes * per_probe + spaces * per_spaces, static_cast<double>(config.record.probe_budget * kMegabyte));
}

/// Checkpoints that are there when the run has ended.
double checkpoints_kept(const config::RunConfig& config, const RunSize& size) {
  double kept = 1 + std::max(0, size.num_stages - 1);  // the final one, and one before each switch
  if (config.record.checkpoint_every == 0) return kept;
  const std::int64_t made = (config.train.steps - 1) / config.record.checkpoint_every;  // the last step's is the final
  const std::int64_t newest = std::min<std::int64_t>(made, config.record.keep_last);
  kept += static_cast<double>(newest);
  if (config.record.keep_every > 0) {
    // Those at multiples of both, among the older ones.
    const std::int64_t older = (made - newest) * config.record.checkpoint_every;
    const std::int64_t spacing =
        std::lcm<std::int64_t, std::int64_t>(config.record.keep_every, config.record.checkpoint_every);
    const std::int64_t spaced = older / spacing;
    kept += static_cast<double>(spaced);
  }
  return kept;
}

}  // namespace

RunSize size_of(const telemetry::RunInfo& info) {
  return {info.num_parameters, info.num_layers, info.router_space_dim,
          static_cast<int>(std::max<std::size_t>(1, info.stages.size()))};
}

Retention estimated_retention(const config::RunConfig& config, const RunSize& size) {
  Retention retention;
  const double per_step =
      kStepScalars * kScalar + size.num_layers * (kLayerBytes + kCount * 2 * config.moe.num_experts);
  retention.steps =
      kEmptyFile + config.probe.tokens * kInfoPerToken + rounded(static_cast<double>(config.train.steps) * per_step);
  retention.probes = rounded(probe_bytes(config, size));
  // Weights and two moments of the optimiser in single precision; and the weights alone at the end.
  retention.checkpoints = rounded(static_cast<double>(size.num_parameters) * (12 * checkpoints_kept(config, size) + 4));
  return retention;
}

std::string size_in_words(std::int64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; number >= 999.5 && unit + 1 < kUnits.size(); ++unit) number /= 1000;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), number < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", number, kUnits[unit]);
  return text.data();
}

std::string in_words(const Retention& retention) {
  std::vector<std::pair<std::int64_t, const char*>> parts = {
      {retention.checkpoints, "checkpoints"}, {retention.probes, "probes"}, {retention.steps, "losses and loads"}};
  std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string words = "about " + size_in_words(retention.total());
  const char* before = ": ";
  for (const auto& [bytes, name] : parts) {
    if (bytes == 0) continue;
    words += before + std::string(name) + ' ' + size_in_words(bytes);
    before = ", ";
  }
  return words;
}

}  // namespace moescope::record
