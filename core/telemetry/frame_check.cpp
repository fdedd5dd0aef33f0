#include "core/telemetry/frame_check.h"

#include <algorithm>

namespace moescope::telemetry {
namespace {

// Far above any run, and small enough that nothing computed from them overflows.
constexpr int kMostLayers = 4096;
constexpr int kMostExperts = 32767;  // indices are 16 bits wide
constexpr int kMostDim = 1 << 20;
constexpr std::int64_t kMostSteps = std::int64_t{1} << 48;

bool within(std::int64_t value, std::int64_t least, std::int64_t most) { return value >= least && value <= most; }

/// Either absent or one for each.
bool none_or(std::size_t size, std::size_t wanted) { return size == 0 || size == wanted; }

template <class Number>
bool all_within(const std::vector<Number>& values, std::int64_t least, std::int64_t most) {
  return std::all_of(values.begin(), values.end(), [&](Number value) { return within(value, least, most); });
}

std::string layer_misfit(const RunInfo& info, const LayerProbe& layer) {
  const std::size_t tokens = info.probe.size();
  if (!within(layer.top_k, 1, info.num_experts)) return "a layer has " + std::to_string(layer.top_k) + " choices";
  const std::size_t choices = tokens * static_cast<std::size_t>(layer.top_k);
  if (layer.expert_TK.size() != choices || layer.gate_TK.size() != choices || layer.margin_T.size() != tokens ||
      !none_or(layer.student_T.size(), tokens))
    return "a layer is not about the tokens of the run's probe";
  if (!all_within(layer.expert_TK, -1, info.num_experts - 1) || !all_within(layer.student_T, -1, info.num_experts - 1))
    return "a token chose an expert that is not there";
  return {};
}

std::string layer_misfit(const RunInfo& info, const LayerStep& layer) {
  if (layer.load_E.size() > static_cast<std::size_t>(info.num_experts) || layer.dropped_E.size() != layer.load_E.size())
    return "a layer has the loads of " + std::to_string(layer.load_E.size()) + " experts";
  return {};
}

}  // namespace

std::string misfit(const RunInfo& info) {
  if (!within(info.num_layers, 0, kMostLayers)) return "it has " + std::to_string(info.num_layers) + " layers";
  if (!within(info.num_experts, 0, kMostExperts)) return "it has " + std::to_string(info.num_experts) + " experts";
  if (!within(info.top_k, 0, kMostExperts)) return "it has " + std::to_string(info.top_k) + " choices per token";
  if (!within(info.router_space_dim, 0, kMostDim) || !within(info.tokens_per_step, 0, INT32_MAX) ||
      !within(info.vocab_size, 0, INT32_MAX) || !within(info.total_steps, 0, kMostSteps) ||
      !within(info.parent_step, 0, kMostSteps) || info.num_parameters < 0 || info.num_active_parameters < 0)
    return "a size is out of range";
  const auto last_label = static_cast<std::int64_t>(std::max<std::size_t>(1, info.labels.size())) - 1;
  for (const ProbeToken& token : info.probe)
    if (!within(token.label, 0, last_label)) return "a token of its probe is of no class";
  return {};
}

std::string misfit(const RunInfo& info, const ProbeSnapshot& probe) {
  const auto layers = static_cast<std::size_t>(info.num_layers);
  if (!within(probe.step, 0, kMostSteps) || !within(probe.spacing, 0, kMostSteps)) return "its step is out of range";
  if (!within(probe.stage, 0, INT16_MAX)) return "its stage is out of range";
  if (probe.layers.size() != layers || !none_or(probe.reference.size(), layers) ||
      !none_or(probe.fluctuation_L.size(), layers))
    return "it is about " + std::to_string(probe.layers.size()) + " layers";
  for (const LayerProbe& layer : probe.layers)
    if (std::string why = layer_misfit(info, layer); !why.empty()) return why;
  for (const auto& reference_T : probe.reference)
    if (!none_or(reference_T.size(), info.probe.size()) || !all_within(reference_T, -1, info.num_experts - 1))
      return "a reference is not about the tokens of the run's probe";
  return {};
}

std::string misfit(const RunInfo& info, const RouterSpace& space) {
  if (!within(space.step, 0, kMostSteps)) return "its step is out of range";
  if (!within(space.layer, 0, info.num_layers - 1)) return "its layer is not there";
  if (!within(space.dim, 1, kMostDim)) return "it has " + std::to_string(space.dim) + " dimensions";
  const auto dim = static_cast<std::size_t>(space.dim);
  if (space.expert_S.size() != space.token_S.size() || space.vectors_SR.size() != space.token_S.size() * dim ||
      space.rows_ER.size() % dim != 0)
    return "its vectors are not those of its tokens";
  const auto rows = static_cast<std::int64_t>(space.rows_ER.size() / dim);
  if (!all_within(space.token_S, 0, static_cast<std::int64_t>(info.probe.size()) - 1))
    return "it shows a token that is not there";
  if (!all_within(space.expert_S, -1, std::min<std::int64_t>(rows, info.num_experts) - 1))
    return "a token chose an expert that is not there";
  return {};
}

std::string misfit(const RunInfo& info, const ExpertTokens& tokens) {
  if (!within(tokens.layer, 0, info.num_layers - 1) || !within(tokens.expert, 0, info.num_experts - 1))
    return "its expert is not there";
  if (tokens.tokens.size() != tokens.log_odds.size()) return "its tokens have other log-odds";
  return {};
}

std::string misfit(const RunInfo& info, const TelemetryFrame& frame) {
  const auto layers = static_cast<std::size_t>(info.num_layers);
  if (!within(frame.step, 0, kMostSteps)) return "its step is out of range";
  if (!within(frame.stage, 0, INT16_MAX)) return "its stage is out of range";
  if (!none_or(frame.layers.size(), layers) || !none_or(frame.measures.size(), layers) ||
      !none_or(frame.controls.size(), layers))
    return "it is about " + std::to_string(frame.layers.size()) + " layers";
  for (const LayerStep& layer : frame.layers)
    if (std::string why = layer_misfit(info, layer); !why.empty()) return why;
  if (frame.probe)
    if (std::string why = misfit(info, *frame.probe); !why.empty()) return "its probe does not fit: " + why;
  for (const auto& space : frame.spaces)
    if (std::string why = space ? misfit(info, *space) : "it is empty"; !why.empty())
      return "a router space does not fit: " + why;
  for (const ExpertTokens& tokens : frame.expert_tokens)
    if (std::string why = misfit(info, tokens); !why.empty()) return "the tokens of an expert do not fit: " + why;
  return {};
}

}  // namespace moescope::telemetry
