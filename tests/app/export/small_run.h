#pragma once
// A recorded run that never happened, small enough to write its tables down: two layers, two experts, three steps, a
// probe of two tokens at step 2. And what carries an exporter through it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/export/export_files.h"
#include "app/export/exporter.h"
#include "tests/core/record/scratch_folder.h"

namespace moescope::exports {

inline record::CommandRow small_command(std::int64_t number, std::int64_t step, bus::CommandKind kind) {
  record::CommandRow row;
  row.number = number;
  row.apply_step = step;
  row.command.kind = kind;
  row.hash = "hash" + std::to_string(number);
  return row;
}

inline ExportedRun small_run() {
  ExportedRun run;
  run.facts.id = "0123456789abcdef";
  run.facts.method = "switch";
  run.facts.created_ns = 1'700'000'000'500'000'000;
  run.info.method = "switch";
  run.info.num_layers = 2;
  run.info.num_experts = 2;
  run.info.labels = {"English", "Deutsch"};
  run.info.probe = {{" the", 5, 0, 0, 0, "a, \"b\""}, {"\xFF", 300, 1, 0, 1, "c"}};
  run.last_step = 3;
  record::CommandRow set = small_command(1, 1, bus::CommandKind::kSet);
  set.command.key = "train.lr";
  set.command.value = 0.002;
  set.result = record::CommandRow::Result{true, "lr 0.004 → 0.002"};
  record::CommandRow freeze = small_command(2, 2, bus::CommandKind::kFreezeExpert);
  freeze.command.layer = 1;
  freeze.command.expert = 0;
  freeze.result = record::CommandRow::Result{false, "no"};
  run.commands = {set, freeze, small_command(3, 3, bus::CommandKind::kFreezeRouter)};
  run.events = {{1, "command", "lr 0.004→0.002", "you"}};
  run.gaps = {{"space", 1, 3, 2, "the disk was full"}};
  return run;
}

inline std::shared_ptr<telemetry::TelemetryFrame> small_frame(std::int64_t step) {
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  frame->step = step;
  frame->losses = {{"task", 1.0 / 3}, {"total", 0.5}};
  frame->lr = 0.004;
  frame->grad_norm = 2;
  frame->step_ms = 250;
  frame->tokens_per_second = 1e6;
  telemetry::LayerStep first, second;
  first.load_E = {3, 1};
  first.dropped_E = {1, 0};
  first.capacity = 2;
  first.router_entropy = 0.1F;
  first.experts_per_token = 0.75F;
  second.load_E = {4, 0};
  second.dropped_E = {0, 0};
  second.experts_per_token = 1;
  frame->layers = {first, second};
  frame->controls.resize(2);
  return frame;
}

inline std::vector<telemetry::FramePtr> small_frames() {
  const auto one = small_frame(1), two = small_frame(2), three = small_frame(3);
  auto probe = std::make_shared<telemetry::ProbeSnapshot>();
  probe->step = 2;
  telemetry::LayerProbe layer;
  layer.top_k = 2;
  layer.expert_TK = {0, 1, 1, -1};
  layer.gate_TK = {0.75F, 0.25F, 1, telemetry::kNotMeasured};
  layer.margin_T = {0.5F, telemetry::kNotMeasured};
  layer.student_T = {1, -1};
  probe->layers = {layer, telemetry::LayerProbe{}};
  probe->fluctuation_L = {0.5F, telemetry::kNotMeasured};
  two->probe = probe;
  two->validation_loss = 1.5;
  two->controls[1] = {true, false, 0b10};
  three->losses[0].value = std::numeric_limits<double>::quiet_NaN();
  three->stage = 1;
  return {one, two, three};
}

/// The whole way: open, start, the frames one by one, finish, commit.
inline void carry_through(Exporter& exporter, ExportFiles& files, const std::vector<telemetry::FramePtr>& frames) {
  const Status opened = files.open(false);
  ASSERT_TRUE(opened) << format(opened.error());
  exporter.start();
  for (const telemetry::FramePtr& frame : frames) exporter.add({frame});
  const Status finished = exporter.finish();
  ASSERT_TRUE(finished) << format(finished.error());
  const Status written = files.commit();
  ASSERT_TRUE(written) << format(written.error());
}

}  // namespace moescope::exports
