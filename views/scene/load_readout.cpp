#include <algorithm>
#include <cmath>

#include "views/scene/ghosts.h"
#include "views/scene/labels.h"
#include "views/scene/load_difference.h"
#include "views/scene/load_heat.h"
#include "views/scene/load_layout.h"
#include "views/scene/load_scene.h"
#include "views/scene/numbers.h"

namespace moescope::views {
namespace {

constexpr const char* kMeaning = "share = pairs sent to it ÷ all pairs, before capacity";

std::string cell_text(const telemetry::LoadColumn& column, std::size_t i, int num_experts) {
  const auto value = [&](const std::vector<float>& of) { return static_cast<double>(of[i]); };
  std::string text = exact(100 * value(column.share_LE)) + " % of the layer’s pairs, " +
                     exact(value(column.share_LE) * num_experts) + " × the fair share";
  if (column.last_step > column.first_step)
    text += "\n" + step_text(column.first_step) + " to " + std::to_string(column.last_step) + ": least " +
            exact(100 * value(column.min_LE)) + " %, most " + exact(100 * value(column.max_LE)) + " %";
  return text + "\n" + exact(100 * value(column.dropped_LE)) + " % of its pairs dropped by capacity\n" + kMeaning;
}

std::string difference_text(const telemetry::History& mine, const telemetry::Ghost& ghost, int layer, int expert,
                            StepStretch stretch) {
  const auto pair = share_pair(mine, *ghost.history, layer, stretch);
  if (!pair) {
    const bool here = !columns_under(mine.loads(), stretch).empty();
    return "no difference: " + (here ? ghost.name + " has" : "this run has") + " no step here";
  }
  const auto e = static_cast<std::size_t>(expert);
  std::string text = "this run " + exact(100 * pair->mine_E[e]) + " %, " + ghost.name + " " +
                     exact(100 * pair->other_E[e]) + " % of the layer’s pairs\ndifference " +
                     signed_exact(100 * (pair->mine_E[e] - pair->other_E[e])) + " points, " +
                     signed_exact(pair->difference(e)) + " × the fair share";
  // The steps of the stretch are those that it covers at least a part of.
  const auto first = static_cast<std::int64_t>(std::floor(pair->over.begin)) + 1;
  const auto last = static_cast<std::int64_t>(std::ceil(pair->over.end));
  if (last > first) text += "\nmeans over " + step_text(first) + " to " + std::to_string(last) + " of both";
  return text + "\n" + kMeaning;
}

}  // namespace

std::string load_readout(const ViewContext& context, Size size, std::int64_t step, Vec2 at) {
  const telemetry::RunInfo* run = context.history.run();
  if (!run || !has_loads(context)) return {};
  const LoadLayout layout = load_layout(context, size);
  const int expert = std::clamp(static_cast<int>((at.y - layout.heat.y) / layout.row), 0, layout.num_experts - 1);
  const int layer = shown_layer(context);
  const std::string head = mark_name(layer, expert) + " at " + step_text(step) + "\n";
  if (const telemetry::Ghost* ghost = difference_ghost(context)) {
    const int width = heat_width(layout.heat);
    const float part = (at.x - layout.heat.x) / layout.heat.w;
    const int x = std::clamp(static_cast<int>(part * static_cast<float>(width)), 0, width - 1);
    return head + difference_text(context.history, *ghost, layer, expert,
                                  steps_under(time_axis(context, layout.heat), width, x));
  }
  const telemetry::LoadColumn* column = load_column_at(context.history, std::max<std::int64_t>(1, step));
  const auto i = static_cast<std::size_t>(layer * run->num_experts + expert);
  if (!column || i >= column->share_LE.size()) return {};
  return head + cell_text(*column, i, run->num_experts);
}

}  // namespace moescope::views
