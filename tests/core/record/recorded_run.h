#pragma once
// A small run written by the recorder's own writer, for tests of what reads it.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/record/run_writer.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::record {

inline constexpr int kTestLayers = 2, kTestExperts = 4, kTestTokens = 5;

inline telemetry::RunInfo test_info() {
  telemetry::RunInfo info;
  info.id = "00112233445566ff";
  info.name = "test";
  info.method = "smoe";
  info.num_layers = kTestLayers;
  info.num_experts = kTestExperts;
  info.labels = {"en", "de"};
  info.stages = {"one", "two"};
  for (int t = 0; t < kTestTokens; ++t)
    info.probe.push_back({"tok" + std::to_string(t), t, static_cast<std::int16_t>(t % 2), 0, t, "doc"});
  return info;
}

inline RunFacts test_facts() {
  RunFacts facts;
  facts.id = "00112233445566ff";
  facts.name = "test";
  facts.method = "smoe";
  facts.config_toml = "name = \"test\"\n";
  facts.determinism = {{"threads", "1"}, {"torch", "2.11.0"}};
  facts.created_ns = 1'700'000'000'000'000'000;
  return facts;
}

/// A probe at every tenth step, with the router space of each layer; expert tokens at every twentieth; an event at
/// every thirtieth.
inline telemetry::FramePtr test_frame(std::int64_t step) {
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  const auto number = static_cast<float>(step);
  frame->step = step;
  frame->losses = {{"task", 5.0 - 0.01 * number}, {"total", 5.5 - 0.01 * number}};
  frame->lr = 0.001;
  frame->layers.resize(kTestLayers);
  for (telemetry::LayerStep& layer : frame->layers) {
    layer.load_E = {1, 2, 3, static_cast<std::uint32_t>(step)};
    layer.dropped_E = {0, 0, 0, 1};
    layer.router_entropy = 1.0F / (1.0F + number);
  }
  frame->controls.resize(kTestLayers);
  if (step % 30 == 0) frame->events = {{telemetry::Event::Kind::kNotice, step, "event " + std::to_string(step), "lab"}};
  if (step % 20 == 0) frame->expert_tokens = {{1, 2, {"a", "b"}, {0.5F, number}}};
  if (step % 10 != 0) return frame;
  auto probe = std::make_shared<telemetry::ProbeSnapshot>();
  probe->step = step;
  probe->spacing = 10;
  for (int l = 0; l < kTestLayers; ++l) {
    telemetry::LayerProbe layer;
    for (int t = 0; t < kTestTokens; ++t) {
      layer.expert_TK.push_back(static_cast<std::int16_t>((t + step / 10 + l) % kTestExperts));
      layer.gate_TK.push_back(0.5F + number / 1e6F);
      layer.margin_T.push_back(telemetry::kNotMeasured);
    }
    probe->layers.push_back(layer);
    frame->spaces.push_back(std::make_shared<telemetry::RouterSpace>(
        telemetry::RouterSpace{step, l, 2, {0, 3}, {1, 2}, {number, 2, 3, 4}, {1, 0, 0, 1, 1, 1, number, 0}}));
  }
  frame->probe = std::move(probe);
  return frame;
}

/// The journal of `count` commands, the last one not answered yet.
inline std::vector<CommandRow> test_commands(int count) {
  std::vector<CommandRow> rows;
  for (int i = 1; i <= count; ++i) {
    CommandRow row;
    row.number = i;
    row.apply_step = 10 * i;
    row.command.seq = static_cast<std::uint64_t>(i);
    row.command.kind = bus::CommandKind::kSet;
    row.command.key = "train.lr";
    row.command.value = 0.001 * i;
    row.hash = chain_hash(rows.empty() ? "" : rows.back().hash, i, row.apply_step, row.command);
    if (i < count) row.result = CommandRow::Result{true, "lr " + std::to_string(i)};
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Steps 1 to `steps` in batches of eight; three commands; a state hash and the row and file of a checkpoint at the
/// end.
inline RunBatch test_batch(std::int64_t first, std::int64_t last) {
  RunBatch batch;
  for (std::int64_t step = first; step <= last; ++step) batch.frames.push_back(test_frame(step));
  return batch;
}

inline RunBatch test_last_batch(const std::string& folder, std::int64_t steps) {
  RunBatch batch;
  const std::vector<CommandRow> commands = test_commands(3);
  batch.commands = commands;
  batch.events = {{steps, "failure", "it failed", "lab"}};
  batch.gaps = {{"probe", 5, 7, 2, "budget"}};
  batch.hashes = {{steps, "abc", 3, commands.back().hash, {{"buffer/b", 7}, {"model/a", ~0ULL}}}};
  batch.checkpoints = {{steps, "step-000000001.safetensors", 4, "def", 3, CheckpointKind::kAsked},
                       {steps + 1, "gone.safetensors", 4, "def", 3, CheckpointKind::kRegular}};
  std::filesystem::create_directory(folder + "/checkpoints");
  fill(folder + "/checkpoints/step-000000001.safetensors", "data");
  return batch;
}

inline std::unique_ptr<RunWriter> begin_run(const std::string& folder, std::int64_t steps) {
  std::filesystem::create_directories(folder);
  fill(folder + "/config.toml", "name = \"test\"\n");
  auto writer = RunWriter::create(folder, test_facts());
  EXPECT_TRUE(writer) << (writer ? "" : format(writer.error()));
  if (!writer) return nullptr;
  EXPECT_TRUE((*writer)->set_run_info(test_info()));
  for (std::int64_t step = 1; step <= steps; step += 8)
    EXPECT_TRUE((*writer)->commit(test_batch(step, std::min(steps, step + 7))));
  EXPECT_TRUE((*writer)->commit(test_last_batch(folder, steps)));
  return std::move(*writer);
}

inline void write_run(const std::string& folder, std::int64_t steps) { begin_run(folder, steps).reset(); }

}  // namespace moescope::record
