#pragma once
// Made-up telemetry that looks like a small two-stage run: tokens that wander between experts and settle, loads that
// drift, a loss that falls. Deterministic. Threads: one thread.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/telemetry/frame.h"

namespace moescope::test {

class FakeRun {
 public:
  static constexpr int kLayers = 3;
  static constexpr int kExperts = 8;
  static constexpr int kProbe = 512;
  static constexpr int kSpace = 3;

  FakeRun(std::string name, std::string folder, std::int64_t total_steps);
  std::shared_ptr<const telemetry::RunInfo> info() const { return info_; }
  telemetry::RunInfo& told() { return *info_; }

  /// The frame of the next step. Layers and stage as the trainer holds them; probe every 5 steps.
  std::shared_ptr<telemetry::TelemetryFrame> next(int stage, const std::vector<telemetry::LayerControls>& controls,
                                                  const telemetry::Wants& wants);
  std::int64_t step() const { return step_; }

 private:
  int choose(int layer, int token, int stage);
  telemetry::LayerStep layer_step(int layer);
  std::shared_ptr<telemetry::ProbeSnapshot> probe(int stage);
  std::shared_ptr<telemetry::RouterSpace> space(int layer);
  std::vector<telemetry::ExpertTokens> expert_tokens() const;
  double unit() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  std::shared_ptr<telemetry::RunInfo> info_;
  std::mt19937 random_{7};
  std::int64_t step_ = 0;
  int stage_before_ = 0;
  std::vector<std::vector<int>> home_LT_;  ///< where each token ends
  std::vector<std::vector<int>> now_LT_;
  std::vector<std::vector<double>> load_LE_;
};

}  // namespace moescope::test
