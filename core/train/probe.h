#pragma once
// The probe: a fixed set of held-out tokens, routed at a cadence with the weights as they are, without noise and
// without capacity. With layer_step.h the only place where tensors become telemetry.
// Threads: trainer thread only.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/config/run_config.h"
#include "core/corpus/corpus.h"
#include "core/model/dataset.h"
#include "core/model/model.h"
#include "core/telemetry/frame.h"

namespace moescope::train {

/// Layer `layer` of a trace over all `num_tokens` tokens of its batch; those the layer does not see (of the other side
/// of a translation) have expert −1.
telemetry::LayerProbe layer_probe(const model::RoutingTrace& trace, std::size_t layer, int top_k,
                                  std::int64_t num_tokens);

class Probe {
 public:
  Probe(const config::RunConfig& config, const corpus::Corpus& corpus);

  const std::vector<telemetry::ProbeToken>& tokens() const { return tokens_; }

  /// Routes the probe and fills frame.probe, and frame.spaces for the layers in `space_layers` (bit l: layer l).
  void look(model::Model& model, int stage, std::uint64_t space_layers, telemetry::TelemetryFrame& frame);

  /// Call just before the choice in `layers` passes to or from the student: the student's choice now is what the next
  /// look is compared with there. Layers without a student, and layers not named, go on being compared as usual.
  void mark_break(model::Model& model, const std::vector<int>& layers, std::int64_t step);

  /// What the next look is compared with.
  struct Memory {
    std::shared_ptr<const telemetry::ProbeSnapshot> last;  ///< null before the first look
    std::vector<std::vector<std::int16_t>> reference;
  };
  Memory memory() const { return {last_, reference_}; }
  void restore(Memory memory) {
    last_ = std::move(memory.last);
    reference_ = std::move(memory.reference);
  }

 private:
  std::shared_ptr<telemetry::ProbeSnapshot> route(model::Model& model, std::int64_t step,
                                                  model::RoutingTrace& trace) const;
  /// Null for a router whose scores are not inner products.
  std::shared_ptr<telemetry::RouterSpace> space(model::Model& model, const model::RoutingTrace& trace,
                                                const telemetry::LayerProbe& probe, int layer) const;

  std::uint64_t run_seed_;
  model::Batch batch_;
  std::vector<telemetry::ProbeToken> tokens_;
  std::shared_ptr<const telemetry::ProbeSnapshot> last_;
  std::vector<std::vector<std::int16_t>> reference_;  ///< of a break since last_; empty: none
};

}  // namespace moescope::train
