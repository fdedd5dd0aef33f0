#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/transitions.h"
#include "views/scene/flow_scene.h"

namespace moescope::views {
namespace {

// One column of the picture for the tokens that are followed: classes as choices of their own, or a layer's experts.
struct ColumnChoices {
  std::vector<std::int16_t> choice_TK;
  std::vector<float> gate_TK;
  int top_k = 1;
  int num_choices = 0;

  analysis::LayerChoices choices() const { return {choice_TK, top_k, num_choices}; }
};

bool is_followed(const std::vector<char>& only, std::size_t token) { return only.empty() || only[token]; }

ColumnChoices class_column(const telemetry::RunInfo& run, const std::vector<char>& only) {
  ColumnChoices column;
  column.num_choices = static_cast<int>(run.labels.size());
  for (std::size_t t = 0; t < run.probe.size(); ++t)
    if (is_followed(only, t))
      column.choice_TK.push_back(run.probe[t].label < column.num_choices ? run.probe[t].label : std::int16_t{-1});
  return column;
}

ColumnChoices expert_column(const telemetry::RunInfo& run, const telemetry::LayerProbe& layer,
                            const std::vector<char>& only) {
  ColumnChoices column;
  column.num_choices = run.num_experts;
  column.top_k = std::max(1, layer.top_k);
  const auto k = static_cast<std::size_t>(column.top_k);
  for (std::size_t t = 0; t < run.probe.size() && (t + 1) * k <= layer.expert_TK.size(); ++t) {
    if (!is_followed(only, t)) continue;
    for (std::size_t i = t * k; i < (t + 1) * k; ++i) {
      column.choice_TK.push_back(layer.expert_TK[i]);
      column.gate_TK.push_back(std::max(0.0F, layer.gate_TK[i]));
    }
  }
  return column;
}

std::vector<double> column_sums(const analysis::MassTable& table) {
  std::vector<double> sums(static_cast<std::size_t>(table.num_columns), 0);
  for (int row = 0; row < table.num_rows; ++row)
    for (int column = 0; column < table.num_columns; ++column)
      sums[static_cast<std::size_t>(column)] += table.at(row, column);
  return sums;
}

void blend_into(std::vector<double>& target, const std::vector<double>& from, double progress) {
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = from[i] + (target[i] - from[i]) * progress;
}

void add_links(std::vector<FlowLink>& links, const std::vector<double>& mass, int layer, int num_to) {
  for (std::size_t i = 0; i < mass.size(); ++i)
    if (mass[i] > 0) links.push_back({layer, static_cast<int>(i) / num_to, static_cast<int>(i) % num_to, mass[i]});
}

bool chooses(const telemetry::LayerProbe& layer, std::size_t token, int expert) {
  const auto k = static_cast<std::size_t>(std::max(1, layer.top_k));
  const auto first = layer.expert_TK.begin() + static_cast<std::ptrdiff_t>(token * k);
  return std::find(first, first + static_cast<std::ptrdiff_t>(k), expert) != first + static_cast<std::ptrdiff_t>(k);
}

}  // namespace

std::vector<char> followed_tokens(const telemetry::RunInfo& run, const telemetry::ProbeSnapshot& probe,
                                  const Selection& selection) {
  if (!selection.expert && !selection.token_class && !selection.token) return {};
  std::vector<char> followed(run.probe.size(), 1);
  const bool has_layer = selection.layer >= 0 && static_cast<std::size_t>(selection.layer) < probe.layers.size();
  for (std::size_t token = 0; token < followed.size(); ++token) {
    bool follow = true;
    if (selection.token) follow = follow && static_cast<int>(token) == *selection.token;
    if (selection.token_class) follow = follow && run.probe[token].label == *selection.token_class;
    if (selection.expert && has_layer && !selection.token)
      follow = follow && chooses(probe.layers[static_cast<std::size_t>(selection.layer)], token, *selection.expert);
    followed[token] = follow ? 1 : 0;
  }
  return followed;
}

FlowMass flow_mass(const telemetry::RunInfo& run, const telemetry::ProbeSnapshot& probe,
                   const std::vector<char>& only) {
  FlowMass mass;
  mass.num_classes = static_cast<int>(run.labels.size());
  mass.num_experts = run.num_experts;
  mass.class_C.assign(run.labels.size(), 0);
  ColumnChoices before = class_column(run, only);
  for (const std::int16_t label : before.choice_TK)
    if (label >= 0) mass.class_C[static_cast<std::size_t>(label)] += 1;
  for (const telemetry::LayerProbe& layer : probe.layers) {
    ColumnChoices here = expert_column(run, layer, only);
    analysis::MassTable table =
        analysis::transition_mass(before.choices(), before.gate_TK, here.choices(), here.gate_TK);
    mass.expert_LE.push_back(column_sums(table));
    if (mass.num_layers++ == 0)
      mass.first_CE = std::move(table.cells);
    else
      mass.next_LEE.push_back(std::move(table.cells));
    before = std::move(here);
  }
  return mass;
}

FlowMass blend(const FlowMass& from, const FlowMass& to, double progress) {
  const bool same_shape =
      from.num_classes == to.num_classes && from.num_layers == to.num_layers && from.num_experts == to.num_experts;
  if (!same_shape || progress >= 1) return to;
  FlowMass mass = to;
  blend_into(mass.class_C, from.class_C, progress);
  blend_into(mass.first_CE, from.first_CE, progress);
  for (std::size_t l = 0; l < mass.expert_LE.size(); ++l) blend_into(mass.expert_LE[l], from.expert_LE[l], progress);
  for (std::size_t l = 0; l < mass.next_LEE.size(); ++l) blend_into(mass.next_LEE[l], from.next_LEE[l], progress);
  return mass;
}

ChosenLinks choose_links(const FlowMass& mass, double share, int most) {
  ChosenLinks chosen;
  add_links(chosen.links, mass.first_CE, -1, mass.num_experts);
  for (std::size_t l = 0; l < mass.next_LEE.size(); ++l)
    add_links(chosen.links, mass.next_LEE[l], static_cast<int>(l), mass.num_experts);
  std::stable_sort(chosen.links.begin(), chosen.links.end(),
                   [](const FlowLink& a, const FlowLink& b) { return a.mass > b.mass; });
  const double total = std::accumulate(chosen.links.begin(), chosen.links.end(), 0.0,
                                       [](double sum, const FlowLink& link) { return sum + link.mass; });
  double covered = 0;
  std::size_t count = 0;
  while (count < chosen.links.size() && static_cast<int>(count) < most && covered < share * total)
    covered += chosen.links[count++].mass;
  chosen.links.resize(count);
  chosen.covered = total > 0 ? covered / total : 1;
  return chosen;
}

}  // namespace moescope::views
