#include <algorithm>
#include <numeric>

#include "core/analysis/fluctuation.h"
#include "views/scene/fluctuation_scene.h"

namespace moescope::views {
namespace {

using telemetry::LayerProbe;
using telemetry::ProbeSnapshot;

std::vector<std::int32_t> sorted_rows(const FluctuationRows& rows, const telemetry::RunInfo& run, RowOrder order) {
  const std::size_t num_tokens = rows.last_change_M.size();
  std::vector<std::int32_t> sorted(num_tokens);
  std::iota(sorted.begin(), sorted.end(), 0);
  const std::size_t last = rows.step_C.empty() ? 0 : (rows.step_C.size() - 1) * num_tokens;
  const auto expert_now = [&](std::int32_t t) { return rows.expert_CM[last + static_cast<std::size_t>(t)]; };
  const auto changed = [&](std::int32_t t) { return rows.last_change_M[static_cast<std::size_t>(t)]; };
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::int32_t a, std::int32_t b) {
    if (order == RowOrder::kTokenClass) {
      const int la = run.probe[static_cast<std::size_t>(a)].label, lb = run.probe[static_cast<std::size_t>(b)].label;
      if (la != lb) return la < lb;
    }
    if (order == RowOrder::kExpert && expert_now(a) != expert_now(b)) return expert_now(a) < expert_now(b);
    if (changed(a) != changed(b)) return changed(a) < changed(b);
    return expert_now(a) < expert_now(b);
  });
  return sorted;
}

}  // namespace

std::vector<std::int16_t> first_choices(const ProbeSnapshot& probe, std::size_t layer, std::size_t num_tokens) {
  if (layer >= probe.layers.size()) return {};
  const LayerProbe& one = probe.layers[layer];
  const auto k = static_cast<std::size_t>(std::max(1, one.top_k));
  if (one.expert_TK.size() != num_tokens * k) return {};
  std::vector<std::int16_t> first(num_tokens);
  for (std::size_t t = 0; t < num_tokens; ++t) first[t] = one.expert_TK[t * k];
  return first;
}

FluctuationRows fluctuation_rows(const telemetry::History& history, int layer, std::int64_t until_step,
                                 RowOrder order) {
  FluctuationRows rows;
  const telemetry::RunInfo* run = history.run();
  if (!run || layer < 0) return rows;
  const auto l = static_cast<std::size_t>(layer);
  const std::size_t num_tokens = run->probe.size();
  std::vector<std::vector<std::int16_t>> choices;
  std::vector<std::span<const std::int16_t>> references;
  for (const auto& probe : history.probes()) {
    if (probe->step > until_step) break;
    std::vector<std::int16_t> first = first_choices(*probe, l, num_tokens);
    if (first.empty()) continue;
    rows.step_C.push_back(probe->step);
    choices.push_back(std::move(first));
    const bool has_reference =
        probe->after_break && l < probe->reference.size() && probe->reference[l].size() == num_tokens;
    rows.has_break = rows.has_break || (has_reference && choices.size() > 1);
    references.push_back(has_reference ? std::span<const std::int16_t>(probe->reference[l])
                                       : std::span<const std::int16_t>());
  }
  std::vector<analysis::Checkpoint> checkpoints;
  for (std::size_t c = 0; c < choices.size(); ++c)
    checkpoints.push_back(
        {rows.step_C[c], choices[c], c + 1 < choices.size() ? references[c + 1] : std::span<const std::int16_t>()});
  rows.fluctuation_C.assign(choices.size(), 0);
  const std::vector<analysis::Fluctuation> series = analysis::fluctuation_series(checkpoints, 1);
  for (std::size_t c = 0; c < series.size(); ++c) rows.fluctuation_C[c + 1] = series[c].first_choice;
  for (const std::vector<std::int16_t>& one : choices)
    rows.expert_CM.insert(rows.expert_CM.end(), one.begin(), one.end());
  rows.last_change_M = analysis::last_fluctuation(checkpoints, 1).last_step_T;
  if (rows.last_change_M.empty()) rows.last_change_M.assign(choices.empty() ? 0 : num_tokens, 0);
  rows.order_M = sorted_rows(rows, *run, order);
  return rows;
}

double settled_share(const FluctuationRows& rows, std::int64_t step) {
  if (rows.last_change_M.empty()) return 0;
  const auto settled = std::count_if(rows.last_change_M.begin(), rows.last_change_M.end(),
                                     [step](std::int64_t last) { return last == 0 || last < step; });
  return static_cast<double>(settled) / static_cast<double>(rows.last_change_M.size());
}

double share_elsewhere_after(const FluctuationRows& rows, std::int64_t step) {
  if (rows.last_change_M.empty()) return 0;
  const auto later = std::count_if(rows.last_change_M.begin(), rows.last_change_M.end(),
                                   [step](std::int64_t last) { return last > step; });
  return static_cast<double>(later) / static_cast<double>(rows.last_change_M.size());
}

SettledCurve settled_curve(const telemetry::History& history, int layer) {
  const telemetry::TelemetryFrame* latest = history.latest();
  const FluctuationRows rows = fluctuation_rows(history, layer, latest ? latest->step : 0, RowOrder::kLastChange);
  SettledCurve curve;
  curve.step_C = rows.step_C;
  for (const std::int64_t step : rows.step_C) curve.share_C.push_back(settled_share(rows, step));
  return curve;
}

}  // namespace moescope::views
