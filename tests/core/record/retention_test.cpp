#include "core/record/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/seed.h"
#include "core/record/run_writer.h"
#include "core/record/safetensors.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;

constexpr int kLayers = 3, kExperts = 8, kTokens = 256, kDim = 16;
constexpr std::int64_t kParameters = 20'000;

config::RunConfig test_config() {
  config::RunConfig config;
  config.train.steps = 1000;
  config.moe.num_experts = kExperts;
  config.probe.tokens = kTokens;
  config.record.checkpoint_every = 100;
  config.record.keep_last = 2;
  config.record.keep_every = 400;
  return config;
}

telemetry::RunInfo info_of(const config::RunConfig& config) {
  telemetry::RunInfo info;
  info.num_layers = kLayers;
  info.num_experts = kExperts;
  info.router_space_dim = kDim;
  info.num_parameters = kParameters;
  info.stages = {"train"};
  info.labels = {"en"};
  for (int t = 0; t < config.probe.tokens; ++t) info.probe.push_back({"token", 100 + t, 0, t / 64, t % 64, "document"});
  return info;
}

/// Numbers as noisy as those of a training.
telemetry::FramePtr frame_of(const config::RunConfig& config, std::int64_t step, SeededWords& words) {
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  frame->step = step;
  frame->losses = {{"task", 3 + words.unit()}, {"balance", words.unit()}, {"total", 3 + words.unit()}};
  frame->lr = 1e-3 * std::cos(static_cast<double>(step));
  frame->grad_norm = words.unit();
  frame->step_ms = 40 + words.unit();
  frame->watch_ms = words.unit();
  frame->tokens_per_second = 9000 + words.unit();
  frame->controls.resize(kLayers);
  for (int l = 0; l < kLayers; ++l) {
    telemetry::LayerStep layer;
    for (int e = 0; e < kExperts; ++e) {
      layer.load_E.push_back(static_cast<std::uint32_t>(100 + words.below(60)));
      layer.dropped_E.push_back(static_cast<std::uint32_t>(words.below(4)));
    }
    layer.router_entropy = static_cast<float>(words.unit());
    for (auto& count : layer.margin_histogram) count = static_cast<std::uint32_t>(words.below(100));
    layer.auxiliary_losses = {{"balance", words.unit()}};
    frame->layers.push_back(layer);
  }
  if (step % config.probe.every != 0) return frame;
  auto probe = std::make_shared<telemetry::ProbeSnapshot>();
  probe->step = step;
  for (int l = 0; l < kLayers; ++l) {
    telemetry::LayerProbe layer;
    auto space = std::make_shared<telemetry::RouterSpace>();
    space->step = step;
    space->layer = l;
    space->dim = kDim;
    for (int t = 0; t < kTokens; ++t) {
      layer.expert_TK.push_back(static_cast<std::int16_t>(words.below(kExperts)));
      layer.gate_TK.push_back(static_cast<float>(words.unit()));
      layer.margin_T.push_back(static_cast<float>(words.unit()));
      space->token_S.push_back(t);
      space->expert_S.push_back(layer.expert_TK.back());
    }
    for (int i = 0; i < kTokens * kDim; ++i) space->vectors_SR.push_back(static_cast<float>(words.unit() - 0.5));
    for (int i = 0; i < kExperts * kDim; ++i) space->rows_ER.push_back(static_cast<float>(words.unit() - 0.5));
    probe->layers.push_back(layer);
    if (config.record.space_every > 0 && step / config.probe.every % config.record.space_every == 0)
      frame->spaces.push_back(space);
  }
  frame->probe = std::move(probe);
  return frame;
}

std::int64_t written_bytes(const std::string& folder, const config::RunConfig& config) {
  auto writer = RunWriter::create(folder, {});
  EXPECT_TRUE(writer);
  EXPECT_TRUE((*writer)->set_run_info(info_of(config)));
  SeededWords words(1);
  RunBatch batch;
  for (std::int64_t step = 1; step <= config.train.steps; ++step) {
    batch.frames.push_back(frame_of(config, step, words));
    if (step % 20 != 0) continue;
    EXPECT_TRUE((*writer)->commit(batch));
    batch = {};
  }
  (*writer).reset();
  return static_cast<std::int64_t>(fs::file_size(folder + "/run.db"));
}

TEST(Retention, IsWithinAHalfOfAWrittenRun) {
  for (const int space_every : {0, 1, 5}) {
    ScratchFolder scratch;
    config::RunConfig config = test_config();
    config.record.space_every = space_every;
    const Retention estimate = estimated_retention(config, size_of(info_of(config)));
    const auto guessed = static_cast<double>(estimate.steps + estimate.probes);
    const auto written = static_cast<double>(written_bytes(scratch.path(), config));
    EXPECT_GT(guessed, 0.5 * written) << space_every << ": " << guessed << " for " << written;
    EXPECT_LT(guessed, 1.5 * written) << space_every << ": " << guessed << " for " << written;
  }
}

TEST(Retention, CheckpointsAreTwelveBytesAParameterEach) {
  ScratchFolder scratch;
  const config::RunConfig config = test_config();
  const auto floats = [](const char* name, std::size_t count) {
    return TensorBlock{name, "F32", {static_cast<std::int64_t>(count)}, std::vector<std::uint8_t>(4 * count)};
  };
  const std::string file = scratch / "c.safetensors";
  ASSERT_TRUE(write_safetensors(
      file, {floats("model", kParameters), floats("exp_avg", kParameters), floats("exp_avg_sq", kParameters)}, {}));
  // At 1000 steps: 800 and 900 are the newest, 400 stays, and the final one.
  const std::int64_t kept = 4;
  const std::int64_t estimate = estimated_retention(config, size_of(info_of(config))).checkpoints;
  EXPECT_NEAR(static_cast<double>(estimate),
              static_cast<double>(kept) * static_cast<double>(fs::file_size(file)) + 4.0 * kParameters,
              0.05 * static_cast<double>(estimate));
  config::RunConfig rare = config;
  rare.record.checkpoint_every = 0;
  EXPECT_EQ(estimated_retention(rare, size_of(info_of(rare))).checkpoints, 16 * kParameters) << "the final ones";
}

TEST(Retention, ALongRunOfProbesGrowsSlowlyBeyondItsBudget) {
  config::RunConfig config = test_config();
  config.record.probe_budget = 10;
  config.train.steps = 100'000;
  const RunSize size = size_of(info_of(config));
  const std::int64_t once = estimated_retention(config, size).probes;
  config.train.steps *= 2;
  const std::int64_t twice = estimated_retention(config, size).probes;
  EXPECT_GT(once, 10 << 20);
  EXPECT_LE(twice - once, 11 << 20) << "doubling the run adds one budget";
}

TEST(Retention, IsSaidInWords) {
  EXPECT_EQ(in_words({1'000'000, 4'100'000, 29'000'000}),
            "about 34 MB: checkpoints 29 MB, probes 4.1 MB, losses and loads 1.0 MB");
  EXPECT_EQ(in_words({500, 0, 0}), "about 500 B: losses and loads 500 B");
  EXPECT_EQ(size_in_words(999), "999 B");
  EXPECT_EQ(size_in_words(1'234'000'000), "1.2 GB");
  EXPECT_EQ(size_in_words(999'600), "1.0 MB");
}

}  // namespace
}  // namespace moescope::record
