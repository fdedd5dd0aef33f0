#include "views/scene/fluctuation_difference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/numbers.h"

namespace moescope::views {
namespace {

using telemetry::ProbeSnapshot;
using telemetry::ProbeToken;

}  // namespace

FluctuationDifference fluctuation_difference(const FluctuationRows& rows, const telemetry::Ghost& ghost, int layer) {
  FluctuationDifference difference;
  difference.name = ghost.name;
  const std::size_t num_tokens = rows.last_change_M.size();
  difference.expert_CM.reserve(rows.expert_CM.size());
  const telemetry::TelemetryFrame* last = ghost.history->latest();
  for (std::size_t c = 0; c < rows.step_C.size(); ++c) {
    const ProbeSnapshot* probe =
        last && rows.step_C[c] <= last->step ? ghost.history->probe_at(rows.step_C[c]) : nullptr;
    std::vector<std::int16_t> other;
    if (probe) other = first_choices(*probe, static_cast<std::size_t>(layer), num_tokens);
    const bool known = !other.empty();
    if (!known) other.assign(num_tokens, FluctuationDifference::kUnknown);
    std::size_t elsewhere = 0;
    for (std::size_t t = 0; t < num_tokens; ++t) elsewhere += rows.expert_CM[c * num_tokens + t] != other[t] ? 1 : 0;
    difference.step_C.push_back(known ? probe->step : -1);
    difference.elsewhere_C.push_back(known ? static_cast<double>(elsewhere) / static_cast<double>(num_tokens)
                                           : std::numeric_limits<double>::quiet_NaN());
    difference.expert_CM.insert(difference.expert_CM.end(), other.begin(), other.end());
  }
  return difference;
}

std::string probe_mismatch(const telemetry::RunInfo& run, const telemetry::RunInfo& other) {
  if (run.probe.size() != other.probe.size())
    return "its probe has " + std::to_string(other.probe.size()) + " tokens, this one " +
           std::to_string(run.probe.size());
  const bool same = std::equal(run.probe.begin(), run.probe.end(), other.probe.begin(),
                               [](const ProbeToken& a, const ProbeToken& b) { return a.id == b.id; });
  return same ? "" : "its probe has other tokens";
}

std::string difference_obstacle(const ViewContext& context) {
  const telemetry::Ghost* ghost = difference_ghost(context);
  return ghost ? probe_mismatch(*context.history.run(), *ghost->history->run()) : std::string();
}

std::optional<FluctuationDifference> chosen_difference(const ViewContext& context, const FluctuationRows& rows) {
  const telemetry::Ghost* ghost = difference_ghost(context);
  if (!ghost || rows.step_C.empty() || !difference_obstacle(context).empty()) return std::nullopt;
  return fluctuation_difference(rows, *ghost, shown_layer(context));
}

std::string elsewhere_text(const FluctuationDifference& difference) {
  const double share =
      difference.elsewhere_C.empty() ? std::numeric_limits<double>::quiet_NaN() : difference.elsewhere_C.back();
  if (std::isnan(share)) return difference.name + " has no probe here";
  return percent(share) + " of the probe tokens go to another expert than in " + difference.name;
}

}  // namespace moescope::views
