#include "core/train/watch.h"

#include <string>
#include <utility>

#include "core/train/layer_step.h"

namespace moescope::train {

namespace {

std::vector<telemetry::NamedScalar> losses_of(const moe::StepLosses& losses) {
  std::vector<telemetry::NamedScalar> named;
  for (const moe::LossTerm& term : losses.terms) {
    named.push_back({term.name, term.coefficient * term.value.item<double>()});
  }
  named.push_back({"total", losses.total.item<double>()});
  return named;
}

}  // namespace

Watch::Watch(const corpus::Corpus& corpus, const config::RunConfig& config, model::Model& model, bool probing,
             bool recorded)
    : corpus_(corpus), model_(model), pace_(config.probe.every) {
  if (recorded) space_every_ = std::int64_t{config.record.probe_every} * config.record.space_every;
  if (!probing) return;
  probe_ = std::make_unique<Probe>(config, corpus);
}

std::vector<telemetry::ProbeToken> Watch::probe_tokens() const {
  return probe_ ? probe_->tokens() : std::vector<telemetry::ProbeToken>{};
}

void Watch::show(const StepResult& result, int stage, telemetry::TelemetryFrame& frame, PhaseClock& clock) {
  clock.enter(Phase::kPublish);
  frame.losses = losses_of(result.losses);
  for (const moe::LayerRecord& record : result.losses.layers) {
    frame.layers.push_back(layer_step(record));
  }
  if (!probe_) return;
  clock.enter(Phase::kProbe);
  if (wants_.expert_tokens) {
    if (!vocabulary_) {
      vocabulary_ = std::make_unique<ExpertVocabulary>(model_.num_layers(), model_.num_experts(), model_.vocab_size());
    }
    vocabulary_->count(result.losses.layers);
  }
  if (!pace_.due(frame.step)) return;
  probe_->look(model_, stage, space_layers(frame.step), frame);
  show_expert_tokens(frame);
}

/// A function of the step, so that a resumed run records what the uninterrupted one would.
std::uint64_t Watch::space_layers(std::int64_t step) const {
  const bool recorded = space_every_ > 0 && (step == 1 || step / pace_.spacing() % space_every_ == 0);
  return recorded ? ~std::uint64_t{0} : wants_.space_layers;
}

void Watch::show_expert_tokens(telemetry::TelemetryFrame& frame) {
  const auto now = std::chrono::steady_clock::now();
  if (!wants_.expert_tokens || now - tokens_shown_at_ < std::chrono::seconds(2)) return;
  tokens_shown_at_ = now;
  frame.expert_tokens = vocabulary_->top(corpus_);
}

Watch::Memory Watch::memory() const { return {pace_.spacing(), probe_ ? probe_->memory() : Probe::Memory{}}; }

void Watch::restore(Memory memory) {
  pace_.set_spacing(memory.spacing);
  if (probe_) probe_->restore(std::move(memory.probe));
}

void Watch::mark_break(const std::vector<int>& layers, std::int64_t step) {
  if (probe_) probe_->mark_break(model_, layers, step);
}

std::optional<telemetry::Event> Watch::judge_cost(const telemetry::TelemetryFrame& frame) {
  if (!probe_ || !pace_.add(frame.step_ms, frame.watch_ms, frame.probe != nullptr)) return std::nullopt;
  return telemetry::Event{telemetry::Event::Kind::kProbeSpacing, frame.step,
                          "probe every " + std::to_string(pace_.spacing()) + " steps, watching cost over 2 %", "lab"};
}

}  // namespace moescope::train
