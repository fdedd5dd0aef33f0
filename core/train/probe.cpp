#include "core/train/probe.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "core/analysis/fluctuation.h"
#include "core/base/seed.h"
#include "core/train/layer_step.h"
#include "core/train/probe_text.h"

namespace moescope::train {

namespace {

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

/// RF of first choices, over the tokens that reach the layer: a translation's halves see a part of the probe each.
std::vector<float> fluctuation(const telemetry::ProbeSnapshot& before, const telemetry::ProbeSnapshot& now) {
  std::vector<float> share_L;
  for (std::size_t l = 0; l < now.layers.size(); ++l) {
    const telemetry::LayerProbe& layer = now.layers[l];
    // The number of choices may have changed in between, so rows are taken apart here.
    const auto K = static_cast<std::size_t>(layer.top_k), old_K = static_cast<std::size_t>(before.layers[l].top_k);
    const bool broken = l < now.reference.size() && !now.reference[l].empty();
    std::vector<std::int16_t> was_T, is_T;
    for (std::size_t t = 0; t < layer.expert_TK.size() / K; ++t) {
      const std::int16_t was = broken ? now.reference[l][t] : before.layers[l].expert_TK[t * old_K];
      const std::int16_t is = layer.expert_TK[t * K];
      if (was < 0 && is < 0) continue;
      was_T.push_back(was);
      is_T.push_back(is);
    }
    share_L.push_back(static_cast<float>(analysis::fluctuation_between(was_T, is_T, 1).first_choice));
  }
  return share_L;
}

}  // namespace

telemetry::LayerProbe layer_probe(const model::RoutingTrace& trace, std::size_t layer, int top_k,
                                  std::int64_t num_tokens) {
  const std::int64_t own = trace.hidden_LTD[layer].size(0), first = trace.first_token_L[layer];
  telemetry::LayerProbe probe = layer_probe(trace.routing_L[layer], own, top_k);
  if (own == num_tokens) return probe;
  const auto widen = [&](auto& values, auto nothing, std::int64_t per_token) {
    if (values.empty()) return;
    values.insert(values.begin(), static_cast<std::size_t>(first * per_token), nothing);
    values.resize(static_cast<std::size_t>(num_tokens * per_token), nothing);
  };
  widen(probe.expert_TK, std::int16_t{-1}, probe.top_k);
  widen(probe.gate_TK, 0.0F, probe.top_k);
  widen(probe.margin_T, telemetry::kNotMeasured, 1);
  widen(probe.student_T, std::int16_t{-1}, 1);
  return probe;
}

Probe::Probe(const config::RunConfig& config, const corpus::Corpus& corpus)
    : run_seed_(static_cast<std::uint64_t>(config.top.seed)) {
  ProbeText text = probe_text(config, corpus);
  batch_ = std::move(text.batch);
  tokens_ = std::move(text.tokens);
}

std::shared_ptr<telemetry::ProbeSnapshot> Probe::route(model::Model& model, std::int64_t step,
                                                       model::RoutingTrace& trace) const {
  // A method that draws its experts sends a token elsewhere at each step; so must the probe.
  const std::uint64_t noise_seed = derive_seed(run_seed_, "probe noise", static_cast<std::uint64_t>(step));
  trace = model.route(batch_, moe::RouteMode::kProbe, noise_seed);
  auto snapshot = std::make_shared<telemetry::ProbeSnapshot>();
  for (std::size_t l = 0; l < trace.routing_L.size(); ++l) {
    snapshot->layers.push_back(layer_probe(trace, l, model.layers()[l].router().top_k(), batch_.num_tokens()));
  }
  return snapshot;
}

void Probe::look(model::Model& model, int stage, std::uint64_t space_layers, telemetry::TelemetryFrame& frame) {
  if (tokens_.empty()) return;
  const c10::AutoGradMode no_gradient(false);
  model::RoutingTrace trace;
  const auto snapshot = route(model, frame.step, trace);
  snapshot->step = frame.step;
  snapshot->spacing = frame.step - (last_ ? last_->step : 0);
  snapshot->stage = stage;
  snapshot->after_break = !reference_.empty();
  snapshot->reference = std::exchange(reference_, {});
  for (int layer = 0; layer < model.num_layers() && layer < 64; ++layer) {
    if (!(space_layers >> layer & 1U)) continue;
    const auto l = static_cast<std::size_t>(layer);
    if (auto seen = space(model, trace, snapshot->layers[l], layer)) {
      seen->step = frame.step;
      frame.spaces.push_back(std::move(seen));
    }
  }
  if (last_) snapshot->fluctuation_L = fluctuation(*last_, *snapshot);
  last_ = snapshot;
  frame.probe = snapshot;
}

std::shared_ptr<telemetry::RouterSpace> Probe::space(model::Model& model, const model::RoutingTrace& trace,
                                                     const telemetry::LayerProbe& probe, int layer) const {
  constexpr std::int64_t kMostTokens = 2000;
  const auto l = static_cast<std::size_t>(layer);
  const at::Tensor& hidden_TD = trace.hidden_LTD[l];
  const auto tensors = model.layers()[l].router().space(hidden_TD);
  if (!tensors) return nullptr;
  const std::int64_t shown = std::min(hidden_TD.size(0), kMostTokens);
  auto space = std::make_shared<telemetry::RouterSpace>();
  space->layer = layer;
  space->dim = static_cast<int>(tensors->rows_ER.size(1));
  space->vectors_SR = floats(tensors->vectors_TR.narrow(0, 0, shown));
  space->rows_ER = floats(tensors->rows_ER);
  for (std::int64_t t = 0; t < shown; ++t) {
    const std::int64_t token = trace.first_token_L[l] + t;
    space->token_S.push_back(static_cast<std::int32_t>(token));
    space->expert_S.push_back(probe.expert_TK[static_cast<std::size_t>(token * probe.top_k)]);
  }
  return space;
}

void Probe::mark_break(model::Model& model, const std::vector<int>& layers, std::int64_t step) {
  if (tokens_.empty() || layers.empty()) return;
  const c10::AutoGradMode no_gradient(false);
  std::shared_ptr<const telemetry::ProbeSnapshot> now = last_;
  if (!now || now->step != step) {  // the weights moved since the last look
    model::RoutingTrace trace;
    now = route(model, step, trace);
  }
  reference_.resize(now->layers.size());
  for (const int layer : layers) {
    const auto l = static_cast<std::size_t>(layer);
    // A reference is one choice per token; of several choices the change of decider counts as a change.
    if (now->layers[l].top_k == 1) reference_[l] = now->layers[l].student_T;
  }
}

}  // namespace moescope::train
