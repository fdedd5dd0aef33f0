#pragma once
// A made-up run with probes, for the scenes that read them: two layers, three experts, two token classes.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/telemetry/history.h"
#include "views/view.h"

namespace moescope::views {

inline std::shared_ptr<telemetry::RunInfo> probe_run_info(int num_tokens = 4) {
  auto run = std::make_shared<telemetry::RunInfo>();
  run->total_steps = 100;
  run->num_layers = 2;
  run->num_experts = 3;
  run->router_space_dim = 3;
  run->labels = {"English", "Deutsch"};
  run->stages = {"Learn", "Frozen"};
  for (int t = 0; t < num_tokens; ++t) {
    telemetry::ProbeToken token;
    token.text = "token" + std::to_string(t);
    token.label = static_cast<std::int16_t>(t % 2);
    run->probe.push_back(token);
  }
  return run;
}

/// Layers with the given first choices and gate 1.
inline telemetry::LayerProbe probe_layer(std::vector<std::int16_t> experts) {
  telemetry::LayerProbe layer;
  layer.gate_TK.assign(experts.size(), 1.0F);
  layer.margin_T.assign(experts.size(), 0.5F);
  layer.expert_TK = std::move(experts);
  return layer;
}

inline telemetry::FramePtr probe_frame(std::int64_t step, std::vector<telemetry::LayerProbe> layers, int stage = 0,
                                       std::vector<std::vector<std::int16_t>> reference = {}) {
  auto probe = std::make_shared<telemetry::ProbeSnapshot>();
  probe->step = step;
  probe->spacing = 10;
  probe->stage = stage;
  probe->layers = std::move(layers);
  probe->after_break = !reference.empty();
  probe->reference = std::move(reference);
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  frame->step = step;
  frame->stage = stage;
  for (std::size_t l = 0; l < probe->layers.size(); ++l) {
    telemetry::LayerStep layer;
    layer.load_E = {2, 1, 1};
    layer.dropped_E = {1, 0, 0};
    frame->layers.push_back(layer);
    frame->controls.emplace_back();
  }
  frame->probe = std::move(probe);
  return frame;
}

/// What a view is given, around one history.
struct ProbeScene {
  telemetry::History history;
  bus::RunStatus status;
  Selection selection;
  ViewContext context(Theme theme = Theme::kDark) {
    return {history, status, selection, palette(theme), true, [](bus::Command) {}, nullptr};
  }
};

inline int count_text(const Scene& scene, const std::string& part) {
  int count = 0;
  for (const Shape& shape : scene.shapes)
    if (const Text* text = std::get_if<Text>(&shape)) count += text->text.find(part) != std::string::npos ? 1 : 0;
  return count;
}

}  // namespace moescope::views
