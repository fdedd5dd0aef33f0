#include "core/train/probe.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "core/base/seed.h"
#include "core/train/layer_step.h"

namespace moescope::train {

namespace {

std::vector<telemetry::ProbeToken> describe(const corpus::Corpus& corpus, const model::ProbeSequences& sequences) {
  std::vector<telemetry::ProbeToken> tokens;
  const corpus::Split& split = corpus.probe;
  const std::int64_t L = sequences.tokens_BL.size(1);
  for (std::size_t t = 0; t < sequences.source_T.size(); ++t) {
    const std::int64_t source = sequences.source_T[t];
    const auto document = static_cast<std::size_t>(model::document_of(split, source));
    telemetry::ProbeToken token;
    token.id = split.tokens[static_cast<std::size_t>(source)];
    token.text = corpus.tokenizer->piece(token.id);
    token.label = split.label_D[document];
    token.sequence = static_cast<std::int32_t>(static_cast<std::int64_t>(t) / L);
    token.position = static_cast<std::int32_t>(static_cast<std::int64_t>(t) % L);
    token.document = split.name_D[document];
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

}  // namespace

Probe::Probe(const corpus::Corpus& corpus, int num_tokens, int context, std::uint64_t run_seed) : run_seed_(run_seed) {
  const model::ProbeSequences sequences = model::probe_sequences(corpus.probe, num_tokens, context, run_seed);
  batch_.tokens_BL = sequences.tokens_BL;
  tokens_ = describe(corpus, sequences);
}

std::shared_ptr<telemetry::ProbeSnapshot> Probe::route(model::Model& model, std::int64_t step,
                                                       model::RoutingTrace& trace) const {
  // A method that draws its experts sends a token elsewhere at each step; so must the probe.
  const std::uint64_t noise_seed = derive_seed(run_seed_, "probe noise", static_cast<std::uint64_t>(step));
  trace = model.route(batch_, moe::RouteMode::kProbe, noise_seed);
  auto snapshot = std::make_shared<telemetry::ProbeSnapshot>();
  for (std::size_t l = 0; l < trace.routing_L.size(); ++l) {
    snapshot->layers.push_back(layer_probe(trace.routing_L[l], trace.hidden_LTD[l].size(0), model.layers()[l].router().top_k()));
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
    if (auto seen = space(model, trace.hidden_LTD[l], snapshot->layers[l], layer)) {
      seen->step = frame.step;
      frame.spaces.push_back(std::move(seen));
    }
  }
  last_ = snapshot;
  frame.probe = snapshot;
}

std::shared_ptr<telemetry::RouterSpace> Probe::space(model::Model& model, const at::Tensor& hidden_TD,
                                                     const telemetry::LayerProbe& probe, int layer) const {
  constexpr std::int64_t kMostTokens = 2000;
  const auto tensors = model.layers()[static_cast<std::size_t>(layer)].router().space(hidden_TD);
  if (!tensors) return nullptr;
  const std::int64_t shown = std::min(hidden_TD.size(0), kMostTokens);
  auto space = std::make_shared<telemetry::RouterSpace>();
  space->layer = layer;
  space->dim = static_cast<int>(tensors->rows_ER.size(1));
  space->vectors_SR = floats(tensors->vectors_TR.narrow(0, 0, shown));
  space->rows_ER = floats(tensors->rows_ER);
  for (std::int64_t t = 0; t < shown; ++t) {
    space->token_S.push_back(static_cast<std::int32_t>(t));
    space->expert_S.push_back(probe.expert_TK[static_cast<std::size_t>(t * probe.top_k)]);
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
    reference_[l] = now->layers[l].student_T;
  }
}

}  // namespace moescope::train
