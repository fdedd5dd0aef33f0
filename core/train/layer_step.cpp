#include "core/train/layer_step.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace moescope::train {

namespace {

template <class Number>
std::vector<Number> values(const at::Tensor& tensor, at::ScalarType type) {
  const at::Tensor flat = tensor.detach().to(type).contiguous();
  const Number* data = flat.const_data_ptr<Number>();
  return {data, data + flat.numel()};
}

std::vector<float> floats(const at::Tensor& tensor) { return values<float>(tensor, at::kFloat); }
std::vector<std::int64_t> integers(const at::Tensor& tensor) { return values<std::int64_t>(tensor, at::kLong); }

std::vector<std::uint32_t> counts(const at::Tensor& tensor_E) {
  std::vector<std::uint32_t> counted;
  if (!tensor_E.defined()) return counted;
  for (const double value : values<double>(tensor_E, at::kDouble)) {
    counted.push_back(static_cast<std::uint32_t>(std::lround(std::max(0.0, value))));
  }
  return counted;
}

void add_scores(const moe::Routing& routing, telemetry::LayerStep& step) {
  if (routing.entropy_T.defined() && routing.entropy_T.numel() > 0) {
    step.router_entropy = routing.entropy_T.mean().item<float>();
  }
  if (!routing.margin_T.defined()) return;
  for (const float margin : floats(routing.margin_T)) {
    const float bin = std::clamp(margin, 0.0F, 1.0F) * telemetry::kMarginBins;
    ++step.margin_histogram[std::min<std::size_t>(static_cast<std::size_t>(bin), telemetry::kMarginBins - 1)];
  }
}

/// Share of tokens whose first choice is the student's.
float agreement(const moe::Routing& routing, std::int64_t num_tokens) {
  const moe::SparseRouting* sparse = routing.sparse();
  if (!sparse || !routing.student_T.defined() || sparse->choices_per_token < 1 || num_tokens == 0) {
    return telemetry::kNotMeasured;
  }
  const at::Tensor first_T = sparse->expert_N.narrow(0, 0, num_tokens);
  const at::Tensor student_T = routing.student_T.index_select(0, sparse->token_N.narrow(0, 0, num_tokens));
  return first_T.eq(student_T).to(at::kFloat).mean().item<float>();
}

/// A soft mixture has no choice; what a token gets most of stands in for it.
void add_dense(const moe::DenseRouting& dense, std::int64_t num_tokens, telemetry::LayerProbe& probe) {
  const at::Tensor mass_TE = moe::emission_TE(dense, num_tokens);
  const auto [gate_TK, expert_TK] = mass_TE.topk(probe.top_k, 1);
  probe.gate_TK = floats(gate_TK);
  for (const std::int64_t expert : integers(expert_TK)) probe.expert_TK.push_back(static_cast<std::int16_t>(expert));
}

void add_sparse(const moe::SparseRouting& sparse, std::int64_t num_tokens, telemetry::LayerProbe& probe) {
  const auto K = static_cast<std::size_t>(probe.top_k);
  probe.expert_TK.assign(static_cast<std::size_t>(num_tokens) * K, -1);
  probe.gate_TK.assign(static_cast<std::size_t>(num_tokens) * K, 0);
  const auto token_N = integers(sparse.token_N), expert_N = integers(sparse.expert_N);
  const auto gate_N = floats(sparse.gate_N);
  std::vector<std::size_t> used_T(static_cast<std::size_t>(num_tokens), 0);
  for (std::size_t n = 0; n < token_N.size(); ++n) {
    const auto t = static_cast<std::size_t>(token_N[n]);
    if (used_T[t] >= K) continue;
    const std::size_t place = t * K + used_T[t]++;
    probe.expert_TK[place] = static_cast<std::int16_t>(expert_N[n]);
    probe.gate_TK[place] = gate_N[n];
  }
}

}  // namespace

telemetry::LayerStep layer_step(const moe::LayerRecord& record) {
  const std::int64_t num_tokens = record.token_id_T.numel();
  telemetry::LayerStep step;
  step.load_E = counts(record.load_E);
  step.dropped_E = counts(record.dropped_E);
  step.dropped_E.resize(step.load_E.size(), 0);
  step.capacity = static_cast<std::uint32_t>(record.capacity.slots);
  add_scores(record.routing, step);
  step.student_agreement = agreement(record.routing, num_tokens);
  double kept = 0;
  for (std::size_t e = 0; e < step.load_E.size(); ++e) kept += double(step.load_E[e]) - double(step.dropped_E[e]);
  step.experts_per_token = num_tokens == 0 ? 0 : static_cast<float>(kept / static_cast<double>(num_tokens));
  for (const moe::AuxiliaryLoss& loss : record.routing.losses) {
    step.auxiliary_losses.push_back({loss.name, loss.value.item<double>()});
  }
  return step;
}

telemetry::LayerProbe layer_probe(const moe::Routing& routing, std::int64_t num_tokens, int top_k) {
  telemetry::LayerProbe probe;
  probe.top_k = std::max(1, top_k);
  if (const moe::SparseRouting* sparse = routing.sparse()) {
    add_sparse(*sparse, num_tokens, probe);
  } else {
    add_dense(std::get<moe::DenseRouting>(routing.assignment), num_tokens, probe);
  }
  if (routing.margin_T.defined()) {
    probe.margin_T = floats(routing.margin_T);
  } else {
    probe.margin_T.assign(static_cast<std::size_t>(num_tokens), telemetry::kNotMeasured);
  }
  if (routing.student_T.defined()) {
    for (const std::int64_t expert : integers(routing.student_T)) {
      probe.student_T.push_back(static_cast<std::int16_t>(expert));
    }
  }
  return probe;
}

}  // namespace moescope::train
