#pragma once
// What a person and the schedule hold still or switch while a run goes on: router weights, experts, the assignment, the
// stage. Freezing has three meanings, kept apart: see ARCHITECTURE.md.
// Threads: trainer thread only.

#include <cstdint>
#include <string>
#include <vector>

#include "core/bus/command.h"
#include "core/model/model.h"
#include "core/moe/method.h"
#include "core/telemetry/frame.h"
#include "core/train/outcome.h"

namespace moescope::train {

class LiveControls {
 public:
  /// Keeps references. Puts every router into `stage` at once.
  LiveControls(const moe::Method& method, model::Model& model, int stage);

  /// Freezes, thaws, pins, unpins or switches. A refusal changes nothing.
  /// Requires: one of those kinds.
  Outcome apply(const bus::Command& command);

  /// The layers whose choice would pass to or from their student; empty when apply() would refuse or no choice moves.
  std::vector<int> layers_breaking(const bus::Command& command) const;

  /// Layers that kPinAssignment would pin to a table that must be distilled first; empty when it would be refused.
  std::vector<int> layers_to_distil(const bus::Command& command) const;

  /// Puts back what stage() and layers() gave; no questions asked. Routers have their state (a pinned table) already.
  void restore(int stage, std::vector<telemetry::LayerControls> layers);

  int stage() const { return stage_; }
  const std::vector<telemetry::LayerControls>& layers() const { return layers_; }

 private:
  using LayerControls = telemetry::LayerControls;
  /// Why `command` cannot be done now; empty when it can.
  std::string objection(const bus::Command& command) const;
  std::string objection_to_router(const bus::Command& command, bool freeze) const;
  std::string objection_to_expert(const bus::Command& command, bool freeze) const;
  std::string objection_to_pin(const bus::Command& command, bool pin) const;
  std::string objection_to_stage(std::int64_t stage) const;
  std::vector<int> layers_of(const bus::Command& command) const;
  std::string name_of(const bus::Command& command) const;
  void push_to_router(int layer);

  const moe::Method& method_;
  model::Model& model_;
  int stage_;
  std::vector<LayerControls> layers_;
};

}  // namespace moescope::train
