#pragma once
// What a watched run shows of a step: loads and losses every step, the probe at its pace, and the streams open views
// ask for. It reads the training and never touches it: a run has the same bits watched or not. Threads: trainer thread
// only.

#include <chrono>
#include <memory>
#include <optional>

#include "core/config/run_config.h"
#include "core/corpus/corpus.h"
#include "core/model/model.h"
#include "core/telemetry/frame.h"
#include "core/train/expert_vocabulary.h"
#include "core/train/phase.h"
#include "core/train/probe.h"
#include "core/train/probe_pace.h"
#include "core/train/train_step.h"

namespace moescope::train {

class Watch {
 public:
  /// Not `probing`: losses and loads only. `recorded`: with every n-th probe also the router spaces of all layers, as
  /// [record] asks. The corpus must outlive the watch.
  Watch(const corpus::Corpus& corpus, const config::RunConfig& config, model::Model& model, bool probing,
        bool recorded);

  /// Empty when not probing.
  std::vector<telemetry::ProbeToken> probe_tokens() const;
  void set_wants(const telemetry::Wants& wants) { wants_ = wants; }

  /// Fills losses, layers and, when they are due, the probe and the wanted streams.
  void show(const StepResult& result, int stage, telemetry::TelemetryFrame& frame, PhaseClock& clock);
  /// See Probe::mark_break().
  void mark_break(const std::vector<int>& layers, std::int64_t step);
  /// So that a resumed run's probes are those of the uninterrupted one.
  struct Memory {
    std::int64_t spacing = 0;
    Probe::Memory probe;
  };
  Memory memory() const;
  void restore(Memory memory);

  /// After each step: the event to tell when the probe has just become rarer.
  std::optional<telemetry::Event> judge_cost(const telemetry::TelemetryFrame& frame);

 private:
  void show_expert_tokens(telemetry::TelemetryFrame& frame);
  std::uint64_t space_layers(std::int64_t step) const;

  const corpus::Corpus& corpus_;
  model::Model& model_;
  std::int64_t space_every_ = 0;  ///< probes between recorded spaces; 0: none is recorded
  telemetry::Wants wants_;
  std::unique_ptr<Probe> probe_;  ///< null when not probing
  ProbePace pace_;
  std::unique_ptr<ExpertVocabulary> vocabulary_;  ///< made when first wanted
  std::chrono::steady_clock::time_point tokens_shown_at_{};
};

}  // namespace moescope::train
