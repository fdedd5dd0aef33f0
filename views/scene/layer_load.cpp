#include "views/scene/layer_load.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/load.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"

namespace moescope::views {
namespace {

using telemetry::LoadColumn;

constexpr std::int64_t kLeastStretch = 5;  // steps

std::size_t columns_until(const std::vector<LoadColumn>& columns, std::int64_t step) {
  const auto after = std::upper_bound(columns.begin(), columns.end(), step,
                                      [](std::int64_t s, const LoadColumn& column) { return s < column.first_step; });
  return static_cast<std::size_t>(after - columns.begin());
}

void smooth(LayerLoad& load, const std::vector<LoadColumn>& columns, std::size_t begin, std::size_t end,
            std::size_t offset) {
  const std::size_t experts = load.share_E.size();
  double weights = 0;
  std::vector<double> dropped_pairs(experts, 0);
  for (std::size_t c = end; c-- > begin;) {
    const double age = static_cast<double>(columns[end - 1].last_step - columns[c].last_step);
    const double weight = columns[c].frames * std::exp2(-age / kLoadHalfLife);
    if (weight < 1e-4) break;
    weights += weight;
    for (std::size_t e = 0; e < experts; ++e) {
      const double share = static_cast<double>(columns[c].share_LE[offset + e]);
      load.share_E[e] += weight * share;
      dropped_pairs[e] += weight * share * static_cast<double>(columns[c].dropped_LE[offset + e]);
    }
  }
  for (std::size_t e = 0; e < experts; ++e) {
    load.dropped_E[e] = load.share_E[e] > 0 ? dropped_pairs[e] / load.share_E[e] : 0;
    load.dropped += dropped_pairs[e] / weights;
    load.share_E[e] /= weights;
  }
}

void find_starving(LayerLoad& load, const std::vector<LoadColumn>& columns, std::size_t end, std::size_t offset,
                   int tokens_per_step) {
  const std::size_t experts = load.share_E.size();
  const double line = kStarvingShare / static_cast<double>(experts);
  const std::int64_t now = columns[end - 1].last_step;
  for (std::size_t e = 0; e < experts; ++e) {
    std::size_t c = end;
    bool dead = true;
    while (c > 0 && static_cast<double>(columns[c - 1].share_LE[offset + e]) < line) {
      --c;
      dead = dead && columns[c].max_LE[offset + e] <= 0;
    }
    if (c == end) continue;
    const std::int64_t steps = now - columns[c].first_step + 1;
    const auto least_tokens = static_cast<std::int64_t>(100 * experts);
    if (steps < kLeastStretch || steps * std::max(1, tokens_per_step) < least_tokens) continue;
    load.starving_since_E[e] = columns[c].first_step;
    load.dead_E[e] = dead;
  }
}

}  // namespace

int LayerLoad::num_dead() const { return static_cast<int>(std::count(dead_E.begin(), dead_E.end(), 1)); }

LayerLoad layer_load(const telemetry::History& history, int layer, std::int64_t until_step, std::int64_t from_step) {
  LayerLoad load;
  const telemetry::RunInfo* run = history.run();
  const std::vector<LoadColumn>& columns = history.loads();
  const std::size_t end = columns_until(columns, until_step);
  const auto begin = static_cast<std::size_t>(
      std::partition_point(columns.begin(), columns.end(),
                           [&](const LoadColumn& column) { return column.first_step < from_step; }) -
      columns.begin());
  if (!run || end <= begin || run->num_experts < 1 || layer < 0) return load;
  const auto experts = static_cast<std::size_t>(run->num_experts);
  const std::size_t offset = static_cast<std::size_t>(layer) * experts;
  if (columns[end - 1].share_LE.size() < offset + experts) return load;
  load.share_E.assign(experts, 0);
  load.dropped_E.assign(experts, 0);
  load.starving_since_E.assign(experts, std::nullopt);
  load.dead_E.assign(experts, 0);
  smooth(load, columns, begin, end, offset);
  find_starving(load, columns, end, offset, run->tokens_per_step);
  load.effective_experts = analysis::load_statistics(std::span<const double>(load.share_E)).effective_experts;
  return load;
}

std::span<const LoadColumn> columns_under(const std::vector<LoadColumn>& columns, StepStretch stretch) {
  const auto first = std::partition_point(columns.begin(), columns.end(), [&](const LoadColumn& column) {
    return static_cast<double>(column.last_step) <= stretch.begin;
  });
  const auto last = std::partition_point(first, columns.end(), [&](const LoadColumn& column) {
    return static_cast<double>(column.first_step - 1) < stretch.end;
  });
  return {first, last};
}

const LoadColumn* load_column_at(const telemetry::History& history, std::int64_t step) {
  const std::size_t end = columns_until(history.loads(), step);
  return end == 0 ? nullptr : &history.loads()[end - 1];
}

std::string starving_text(const LayerLoad& load) {
  constexpr int kMostNames = 4;
  std::string names;
  int count = 0;
  std::int64_t since = 0;
  bool all_dead = true;
  for (std::size_t e = 0; e < load.starving_since_E.size(); ++e) {
    if (!load.starving_since_E[e]) continue;
    if (count < kMostNames) names += (count > 0 ? ", " : "") + expert_name(static_cast<int>(e));
    since = count == 0 ? *load.starving_since_E[e] : std::min(since, *load.starving_since_E[e]);
    all_dead = all_dead && load.dead_E[e];
    ++count;
  }
  if (count == 0) return {};
  if (count > kMostNames) names += " and " + std::to_string(count - kMostNames) + " more";
  const std::string verb = all_dead ? (count == 1 ? " is dead" : " are dead") : (count == 1 ? " starves" : " starve");
  return names + verb + " since " + step_text(since);
}

}  // namespace moescope::views
