#include "views/scene/load_difference.h"

#include <algorithm>
#include <span>

namespace moescope::views {
namespace {

using telemetry::LoadColumn;

StepStretch steps_of(std::span<const LoadColumn> columns) {
  return {static_cast<double>(columns.front().first_step - 1), static_cast<double>(columns.back().last_step)};
}

/// Empty when no column has a step inside.
std::vector<double> mean_shares(const std::vector<LoadColumn>& columns, std::size_t offset, std::size_t experts,
                                StepStretch over) {
  std::vector<double> mean(experts, 0);
  double steps = 0;
  for (const LoadColumn& column : columns_under(columns, over)) {
    if (column.share_LE.size() < offset + experts) return {};
    const StepStretch all = steps_of({&column, 1});
    const double inside = std::min(over.end, all.end) - std::max(over.begin, all.begin);
    for (std::size_t e = 0; e < experts; ++e) mean[e] += inside * static_cast<double>(column.share_LE[offset + e]);
    steps += inside;
  }
  if (!(steps > 0)) return {};
  for (double& share : mean) share /= steps;
  return mean;
}

}  // namespace

std::optional<SharePair> share_pair(const telemetry::History& mine, const telemetry::History& other, int layer,
                                    StepStretch stretch) {
  const auto here = columns_under(mine.loads(), stretch), there = columns_under(other.loads(), stretch);
  if (here.empty() || there.empty()) return std::nullopt;
  const StepStretch a = steps_of(here), b = steps_of(there);
  const StepStretch all_a = steps_of(mine.loads()), all_b = steps_of(other.loads());
  SharePair pair;
  pair.over = {std::max({std::min(a.begin, b.begin), all_a.begin, all_b.begin}),
               std::min({std::max(a.end, b.end), all_a.end, all_b.end})};
  const auto experts = static_cast<std::size_t>(mine.run()->num_experts);
  const std::size_t offset = static_cast<std::size_t>(layer) * experts;
  pair.mine_E = mean_shares(mine.loads(), offset, experts, pair.over);
  pair.other_E = mean_shares(other.loads(), offset, experts, pair.over);
  if (pair.mine_E.empty() || pair.other_E.empty()) return std::nullopt;
  return pair;
}

std::optional<SharePair> recent_pair(const telemetry::History& mine, const telemetry::History& other, int layer,
                                     std::int64_t step) {
  const auto now = static_cast<double>(step);
  const auto lacks_it = [&](const telemetry::History& run) {
    return columns_under(run.loads(), {now - 1, now}).empty();
  };
  if (lacks_it(mine) || lacks_it(other)) return std::nullopt;
  const std::int64_t from = std::max(mine.loads().front().first_step, other.loads().front().first_step);
  SharePair pair{{static_cast<double>(from - 1), now},
                 layer_load(mine, layer, step, from).share_E,
                 layer_load(other, layer, step, from).share_E};
  if (pair.mine_E.empty() || pair.other_E.size() != pair.mine_E.size()) return std::nullopt;
  return pair;
}

}  // namespace moescope::views
