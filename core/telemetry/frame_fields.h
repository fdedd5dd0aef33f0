#pragma once
// The fields of every value that goes up, in the order in which their bytes stand. Stated once, for writing and for
// reading: `io` is called with all fields of a value, which are const when it writes. A changed list is a new
// kFrameVersion. Only for frame_bytes.cpp. Threads: pure functions.

#include <concepts>
#include <type_traits>

#include "core/telemetry/frame.h"
#include "core/telemetry/frame_bytes.h"

namespace moescope::telemetry {

inline constexpr int kFrameVersion = 1;

template <class Self, class Value>
concept Either = std::same_as<std::remove_const_t<Self>, Value>;

template <class Io, Either<NamedScalar> Self>
void fields(Io& io, Self& self) {
  io(self.name, self.value);
}

template <class Io, Either<ProbeToken> Self>
void fields(Io& io, Self& self) {
  io(self.text, self.id, self.label, self.sequence, self.position, self.document);
}

template <class Io, Either<RunInfo> Self>
void fields(Io& io, Self& self) {
  io(self.id, self.parent_folder, self.parent_step, self.name, self.folder, self.method, self.corpus, self.config_toml,
     self.total_steps, self.num_layers, self.num_experts, self.top_k, self.router_space_dim, self.tokens_per_step,
     self.vocab_size, self.threads, self.precision, self.device, self.num_parameters, self.num_active_parameters,
     self.unigram_entropy_bits, self.stages, self.labels, self.probe);
}

template <class Io, Either<LayerStep> Self>
void fields(Io& io, Self& self) {
  io(self.load_E, self.dropped_E, self.capacity, self.router_entropy, self.experts_per_token, self.student_agreement,
     self.margin_histogram, self.auxiliary_losses);
}

template <class Io, Either<LayerControls> Self>
void fields(Io& io, Self& self) {
  io(self.router_frozen, self.assignment_pinned, self.frozen_experts);
}

template <class Io, Either<LayerMeasures> Self>
void fields(Io& io, Self& self) {
  io(self.collapse, self.tokens);
}

template <class Io, Either<LayerProbe> Self>
void fields(Io& io, Self& self) {
  io(self.top_k, self.expert_TK, self.gate_TK, self.margin_T, self.student_T);
}

template <class Io, Either<ProbeSnapshot> Self>
void fields(Io& io, Self& self) {
  io(self.step, self.spacing, self.stage, self.after_break, self.layers, self.reference, self.fluctuation_L);
}

template <class Io, Either<RouterSpace> Self>
void fields(Io& io, Self& self) {
  io(self.step, self.layer, self.dim, self.token_S, self.expert_S, self.vectors_SR, self.rows_ER);
}

template <class Io, Either<ExpertTokens> Self>
void fields(Io& io, Self& self) {
  io(self.layer, self.expert, self.tokens, self.log_odds);
}

template <class Io, Either<StampedTokens> Self>
void fields(Io& io, Self& self) {
  io(self.step, self.tokens);
}

template <class Io, Either<Event> Self>
void fields(Io& io, Self& self) {
  io(self.kind, self.step, self.text, self.who);
}

/// Of a frame only what is stored with its step; the other parts have bytes of their own.
template <class Io, Either<TelemetryFrame> Self>
void fields(Io& io, Self& self) {
  io(self.step, self.stage, self.losses, self.validation_loss, self.lr, self.grad_norm, self.step_ms, self.watch_ms,
     self.tokens_per_second, self.layers, self.measures, self.controls);
}

/// A frame with all its parts.
template <class Frame>
struct WholeFrame {
  Frame& frame;
};

template <class Io, class Frame>
void fields(Io& io, const WholeFrame<Frame>& self) {
  Frame& frame = self.frame;
  io(frame.step, frame.stage, frame.losses, frame.validation_loss, frame.lr, frame.grad_norm, frame.step_ms,
     frame.watch_ms, frame.tokens_per_second, frame.layers, frame.measures, frame.controls, frame.events, frame.probe,
     frame.spaces, frame.expert_tokens);
}

}  // namespace moescope::telemetry
