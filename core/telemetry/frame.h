#pragma once
// The one value that goes up: what a run is (RunInfo, once), what a step did (TelemetryFrame), what the probe saw
// (ProbeSnapshot, inside a frame at the probe's cadence). Plain numbers and text; no tensor, no pointer into the model.
// A frame is immutable once published. Upper size of one frame without a probe: 64 KiB for 8 layers × 64 experts.
// Threads: built on the trainer thread, then shared as std::shared_ptr<const …>.

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace moescope::telemetry {

inline constexpr float kNotMeasured = std::numeric_limits<float>::quiet_NaN();

struct NamedScalar {
  std::string name;
  double value = 0;
};

/// One token of the fixed held-out probe. Same tokens, same order, for the whole run.
struct ProbeToken {
  std::string text;           ///< as a person reads it; spaces shown as they are
  std::int32_t id = 0;        ///< token id
  std::int16_t label = 0;     ///< index into RunInfo::labels (language, domain, generator)
  std::int32_t sequence = 0;  ///< which probe sequence
  std::int32_t position = 0;  ///< place in that sequence
  std::string document;
};

/// What does not change during a run; published before its first frame.
struct RunInfo {
  std::string id;             ///< of the recorded run; empty when nothing is written
  std::string parent_folder;  ///< of a fork: the run it left at step parent_step
  std::int64_t parent_step = 0;
  /// Of a fork: ids of its parent, of the parent's parent, … Not in the bytes of a RunInfo: the record's facts have
  /// them.
  std::vector<std::string> ancestors;
  std::string name;
  std::string folder;       ///< run folder, empty when nothing is written
  std::string method;       ///< method id
  std::string corpus;       ///< name and identity, as a person reads it
  std::string config_toml;  ///< resolved configuration
  std::int64_t total_steps = 0;
  int num_layers = 0;  ///< MoE layers, counted from 1 on screen and from 0 in arrays
  int num_experts = 0;
  int top_k = 1;
  int router_space_dim = 0;  ///< width of the space the router's rows live in; 0: no rows
  int tokens_per_step = 0;
  int vocab_size = 0;
  int threads = 1;
  std::string precision;  ///< "fp32"
  std::string device;     ///< "CPU"
  std::int64_t num_parameters = 0;
  std::int64_t num_active_parameters = 0;
  double unigram_entropy_bits = 0;  ///< of the training tokens, bits per token
  std::vector<std::string> stages;  ///< stage titles in order
  std::vector<std::string> labels;  ///< token classes
  std::vector<ProbeToken> probe;
};

inline constexpr int kMarginBins = 16;  ///< of the probability margin, equal width over [0, 1]

/// One MoE layer in one training step, over all training tokens.
struct LayerStep {
  std::vector<std::uint32_t> load_E;       ///< (token, choice) pairs sent to each expert, before capacity
  std::vector<std::uint32_t> dropped_E;    ///< of those, beyond capacity
  std::uint32_t capacity = 0;              ///< slots per expert and group; 0: no limit
  float router_entropy = kNotMeasured;     ///< mean over tokens, nats, over all experts
  float experts_per_token = 0;             ///< kept pairs per token
  float student_agreement = kNotMeasured;  ///< share of tokens where the student chooses as the router does
  std::array<std::uint32_t, kMarginBins> margin_histogram{};
  std::vector<NamedScalar> auxiliary_losses;  ///< before their coefficients, mean over tokens
};

/// Which parts are held still, per layer; a bit per expert.
struct LayerControls {
  bool router_frozen = false;
  bool assignment_pinned = false;
  std::uint64_t frozen_experts = 0;  ///< bit e: expert e is frozen (experts above 63 cannot be frozen live)
};

/// The probe in one layer. T = RunInfo::probe.size(), K = choices per token at this step.
struct LayerProbe {
  int top_k = 1;
  std::vector<std::int16_t> expert_TK;  ///< the choice training would make now: no noise, no capacity; −1: none
  std::vector<float> gate_TK;
  std::vector<float> margin_T;          ///< probability margin p(1)−p(2); NaN where there are no scores
  std::vector<std::int16_t> student_T;  ///< the student's choice; empty without a student
};

struct ProbeSnapshot {
  std::int64_t step = 0;
  std::int64_t spacing = 0;  ///< steps since the probe before
  int stage = 0;
  bool after_break = false;  ///< a stage switch or pin lies between this and the probe before: compare with `reference`
  std::vector<LayerProbe> layers;
  /// With after_break: the student's choice just before the switch, [layer][T]; empty for a layer without a student.
  std::vector<std::vector<std::int16_t>> reference;
  /// RF by layer: share of tokens whose first choice is another than at the probe before (or than the reference after a
  /// break). Empty at the first probe.
  std::vector<float> fluctuation_L;
};

/// Probe tokens in router space for one layer, for the sphere. Values, row-major.
struct RouterSpace {
  std::int64_t step = 0;
  int layer = 0;
  int dim = 0;
  std::vector<std::int32_t> token_S;   ///< index into RunInfo::probe
  std::vector<std::int16_t> expert_S;  ///< chosen expert of each
  std::vector<float> vectors_SR;       ///< the token as the router sees it, not normalised
  std::vector<float> rows_ER;          ///< router rows, not normalised
};

/// Top tokens of one expert by smoothed log-odds over recent training tokens.
struct ExpertTokens {
  int layer = 0;
  int expert = 0;
  std::vector<std::string> tokens;
  std::vector<float> log_odds;
};

/// A mark on every time axis.
struct Event {
  enum class Kind { kStageSwitch, kCommand, kProbeSpacing, kNotice };
  Kind kind = Kind::kCommand;
  std::int64_t step = 0;
  std::string text;  ///< short: "switched to stage 2", "lr 0.004→0.002"
  std::string who;   ///< "you", "schedule", "lab"
};

/// The geometry of one MoE layer on held-out tokens, measured with the validation loss when a run asks for it.
struct LayerMeasures {
  double collapse = std::numeric_limits<double>::quiet_NaN();  ///< RC, balanced variant, classes = first choices
  std::int64_t tokens = 0;
};

struct TelemetryFrame {
  std::int64_t step = 0;  ///< optimiser steps done when this frame was made
  int stage = 0;
  std::vector<NamedScalar>
      losses;  ///< "task" first (nats per token), then auxiliary ones with their coefficients, "total" last
  double validation_loss = std::numeric_limits<double>::quiet_NaN();  ///< nats per token; NaN: not measured this step
  double lr = 0;
  double grad_norm = 0;
  double step_ms = 0;   ///< the step without watching
  double watch_ms = 0;  ///< trainer-thread time spent probing and publishing since the frame before
  double tokens_per_second = 0;
  std::vector<LayerStep> layers;
  std::vector<LayerMeasures> measures;  ///< by layer; empty unless measured at this step
  std::vector<LayerControls> controls;
  std::vector<Event> events;                               ///< that happened since the frame before
  std::shared_ptr<const ProbeSnapshot> probe;              ///< null between probes
  std::vector<std::shared_ptr<const RouterSpace>> spaces;  ///< only for layers a view watches
  std::vector<ExpertTokens> expert_tokens;                 ///< empty unless a view watches
};

using FramePtr = std::shared_ptr<const TelemetryFrame>;

/// What open views read; the union over visible views goes to the trainer as one command.
struct Wants {
  bool expert_tokens = false;
  std::uint64_t space_layers = 0;  ///< bit l: layer l's router space
  bool operator==(const Wants&) const = default;
};

}  // namespace moescope::telemetry
