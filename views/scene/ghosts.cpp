#include "views/scene/ghosts.h"

#include <algorithm>
#include <array>
#include <functional>

#include "core/base/seed.h"

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

std::string comparison_obstacle(const telemetry::Ghost& ghost, const telemetry::RunInfo& run) {
  const telemetry::RunInfo* other = ghost.history->run();
  if (!other) return "nothing is known of it";
  const auto sizes = [](const telemetry::RunInfo& of) {
    return std::to_string(of.num_layers) + " × " + std::to_string(of.num_experts);
  };
  if (other->num_experts != run.num_experts || other->num_layers != run.num_layers)
    return "it has " + sizes(*other) + " experts in its layers, this run " + sizes(run);
  return ghost.same_experts ? "" : "no run is known that both come from, so their experts are not the same ones";
}

bool is_comparable(const telemetry::Ghost& ghost, const telemetry::RunInfo& run) {
  return comparison_obstacle(ghost, run).empty();
}

std::vector<std::size_t> ghosts_with_same_experts(const ViewContext& context) {
  std::vector<std::size_t> found;
  const telemetry::RunInfo* run = context.history.run();
  for (std::size_t i = 0; run && i < context.ghosts.size(); ++i)
    if (is_comparable(context.ghosts[i], *run)) found.push_back(i);
  return found;
}

const telemetry::Ghost* difference_ghost(const ViewContext& context) {
  if (!context.selection.against) return nullptr;
  for (const std::size_t i : ghosts_with_same_experts(context))
    if (context.ghosts[i].name == *context.selection.against) return &context.ghosts[i];
  return nullptr;
}

std::optional<std::string> next_against(const ViewContext& context) {
  const telemetry::Ghost* now = difference_ghost(context);
  bool next = now == nullptr;
  for (const std::size_t i : ghosts_with_same_experts(context)) {
    if (next) return context.ghosts[i].name;
    next = &context.ghosts[i] == now;
  }
  return std::nullopt;
}

std::uint64_t difference_version(const ViewContext& context) {
  const telemetry::Ghost* ghost = difference_ghost(context);
  if (!ghost) return 0;
  // Two ghosts may be as long, and one read anew may keep its name.
  const auto place = static_cast<std::uint64_t>(std::hash<const telemetry::History*>{}(ghost->history.get()));
  const auto name = static_cast<std::uint64_t>(std::hash<std::string>{}(ghost->name));
  return mix_bits(mix_bits(mix_bits(name) + place) + ghost->history->version()) | 1;
}

}  // namespace moescope::views
