#include "core/train/layer_geometry.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <limits>

#include "core/analysis/expert_similarity.h"
#include "core/analysis/load.h"
#include "core/analysis/representation_collapse.h"
#include "core/analysis/routing_entropy.h"
#include "core/train/layer_step.h"

namespace moescope::train {

namespace {

constexpr std::int64_t kSimilarityTokens = 512;  // CKA costs experts² · tokens · width²

/// What one layer saw and did, over all batches.
struct Seen {
  std::vector<float> hidden_TD, probs_TE;
  std::vector<std::int16_t> expert_T;
  std::vector<double> load_E;
  int width = 0;
  bool has_choices = true;  ///< false of a soft mixture
};

void append(std::vector<float>& values, const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  values.insert(values.end(), flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
}

void look(const at::Tensor& hidden_TD, const moe::Routing& routing, int num_experts, Seen& seen) {
  seen.width = static_cast<int>(hidden_TD.size(1));
  append(seen.hidden_TD, hidden_TD);
  if (routing.probs_TE.defined()) append(seen.probs_TE, routing.probs_TE);
  const telemetry::LayerProbe choice = layer_probe(routing, hidden_TD.size(0), 1);
  seen.expert_T.insert(seen.expert_T.end(), choice.expert_TK.begin(), choice.expert_TK.end());
  seen.has_choices = routing.sparse() != nullptr;
  seen.load_E.resize(static_cast<std::size_t>(num_experts), 0);
  if (const moe::SparseRouting* sparse = routing.sparse()) {
    const at::Tensor expert_N = sparse->expert_N.to(at::kCPU).contiguous();
    for (std::int64_t n = 0; n < expert_N.numel(); ++n) {
      ++seen.load_E[static_cast<std::size_t>(expert_N.const_data_ptr<std::int64_t>()[n])];
    }
  } else {
    std::vector<float> mass_E;
    append(mass_E, moe::emission_TE(std::get<moe::DenseRouting>(routing.assignment), hidden_TD.size(0)).sum(0));
    for (std::size_t e = 0; e < mass_E.size(); ++e) seen.load_E[e] += static_cast<double>(mass_E[e]);
  }
}

std::vector<Seen> look_at(model::Model& model, const std::vector<model::Batch>& batches, moe::RouteMode mode) {
  const c10::AutoGradMode no_gradient(false);
  std::vector<Seen> seen_L(static_cast<std::size_t>(model.num_layers()));
  for (const model::Batch& batch : batches) {
    const model::RoutingTrace trace = model.route(batch, mode);
    for (std::size_t l = 0; l < seen_L.size(); ++l) {
      look(trace.hidden_LTD[l], trace.routing_L[l], model.num_experts(), seen_L[l]);
    }
  }
  return seen_L;
}

double collapse_of(const Seen& seen, int num_experts) {
  if (!seen.has_choices || seen.width == 0) return std::numeric_limits<double>::quiet_NaN();
  return analysis::representation_collapse(seen.hidden_TD, seen.width, seen.expert_T, num_experts).collapse;
}

/// Every expert on every one of the first tokens.
double similarity_of(const moe::Experts& experts, const Seen& seen) {
  const std::int64_t E = experts.num_experts(), D = seen.width;
  if (E < 2 || D == 0) return std::numeric_limits<double>::quiet_NaN();
  const std::int64_t T = std::min<std::int64_t>(kSimilarityTokens, static_cast<std::int64_t>(seen.expert_T.size()));
  const c10::AutoGradMode no_gradient(false);
  const at::Tensor hidden_TD =
      at::from_blob(const_cast<float*>(seen.hidden_TD.data()), {T, D}, at::kFloat);  // read only
  std::vector<std::int64_t> offset_E1;
  for (std::int64_t e = 0; e <= E; ++e) offset_E1.push_back(e * T);
  std::vector<float> output_ETD;
  append(output_ETD, experts.forward(hidden_TD.repeat({E, 1}), offset_E1));
  return analysis::output_cka(output_ETD, static_cast<int>(E), static_cast<int>(D)).off_diagonal_mean;
}

}  // namespace

std::vector<telemetry::LayerMeasures> measure_layers(model::Model& model, const std::vector<model::Batch>& batches) {
  std::vector<telemetry::LayerMeasures> measures;
  for (const Seen& seen : look_at(model, batches, moe::RouteMode::kProbe)) {
    measures.push_back({collapse_of(seen, model.num_experts()), static_cast<std::int64_t>(seen.expert_T.size())});
  }
  return measures;
}

std::vector<LayerReport> report_layers(model::Model& model, const std::vector<model::Batch>& batches) {
  std::vector<LayerReport> reports;
  const std::vector<Seen> seen_L = look_at(model, batches, moe::RouteMode::kEvaluate);
  for (std::size_t l = 0; l < seen_L.size(); ++l) {
    const Seen& seen = seen_L[l];
    LayerReport report;
    report.tokens = static_cast<std::int64_t>(seen.expert_T.size());
    const analysis::RoutingEntropy entropy = analysis::routing_entropy(seen.probs_TE, model.num_experts());
    report.entropy = entropy.mean;
    report.marginal_entropy = entropy.marginal;
    const analysis::LoadStatistics load = analysis::load_statistics(std::span<const double>(seen.load_E));
    report.effective_experts = load.effective_experts;
    report.max_violation = load.max_violation;
    report.load_E = seen.load_E;
    report.collapse = collapse_of(seen, model.num_experts());
    report.expert_similarity = similarity_of(model.layers()[l].experts(), seen);
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace moescope::train
