#include "views/scene/ghosts.h"

#include <algorithm>
#include <array>

namespace moescope::views {

Color ghost_color(const ViewContext& context, std::size_t ghost) {
  if (context.ghosts.size() < 2) return context.palette.muted;
  // Orange, green, pink, grey: far from the accent and from each other, also for colour-blind eyes.
  constexpr std::array<std::size_t, 4> kIdentities{0, 2, 6, 7};
  return context.palette.experts[kIdentities[ghost % kIdentities.size()]];
}

std::int64_t last_step_of_all(const ViewContext& context) {
  std::int64_t last = 1;
  if (const telemetry::TelemetryFrame* latest = context.history.latest()) last = std::max(last, latest->step);
  for (const telemetry::Ghost& ghost : context.ghosts)
    if (const telemetry::TelemetryFrame* latest = ghost.history->latest()) last = std::max(last, latest->step);
  return last;
}

void add_ghosts_to(std::vector<LegendItem>& items, const ViewContext& context) {
  for (std::size_t i = 0; i < context.ghosts.size(); ++i)
    items.push_back({LegendItem::Kind::kDashed, context.ghosts[i].name, ghost_color(context, i)});
}

std::vector<std::size_t> ghosts_with_same_experts(const ViewContext& context) {
  std::vector<std::size_t> found;
  const telemetry::RunInfo* run = context.history.run();
  for (std::size_t i = 0; run && i < context.ghosts.size(); ++i) {
    const telemetry::RunInfo* other = context.ghosts[i].history->run();
    if (context.ghosts[i].same_experts && other && other->num_experts == run->num_experts &&
        other->num_layers == run->num_layers)
      found.push_back(i);
  }
  return found;
}

}  // namespace moescope::views
