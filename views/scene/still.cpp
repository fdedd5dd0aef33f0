#include "views/scene/still.h"

#include <array>

#include "core/base/text.h"
#include "views/scene/flow_scene.h"
#include "views/scene/fluctuation_difference.h"
#include "views/scene/fluctuation_scene.h"
#include "views/scene/load_scene.h"
#include "views/scene/loss_scene.h"
#include "views/scene/sphere_scene.h"
#include "views/scene/tokens_scene.h"

namespace moescope::views {
namespace {

Result<Scene> flow(const ViewContext& context, Size size) {
  const telemetry::RunInfo& run = *context.history.run();
  const telemetry::ProbeSnapshot* probe = context.history.probe_at(context.shown_step());
  if (!probe || run.num_layers == 0) return error("no probe is recorded up to this step");
  return flow_scene(context, size, flow_mass(run, *probe), nullptr);
}

Result<Scene> fluctuation(const ViewContext& context, Size size) {
  const FluctuationRows rows =
      fluctuation_rows(context.history, context.selection.layer, context.shown_step(), RowOrder::kLastChange);
  if (rows.step_C.empty()) return error("no probe is recorded up to this step");
  std::vector<SettledCurve> curves;
  for (const telemetry::Ghost& ghost : context.ghosts)
    curves.push_back(settled_curve(*ghost.history, context.selection.layer));
  const auto difference = chosen_difference(context, rows);
  return fluctuation_scene(context, size, rows, RowOrder::kLastChange, 1, curves, difference ? &*difference : nullptr);
}

Result<Scene> load(const ViewContext& context, Size size) {
  LoadState state;
  state.update(context.history);
  return load_scene(context, size, state);
}

Result<Scene> sphere(const ViewContext& context, Size size) {
  const telemetry::RunInfo& run = *context.history.run();
  if (run.router_space_dim == 0)
    return error("this method's router has no rows: its choice is not an inner product, so there is no sphere to draw");
  const telemetry::RouterSpace* space = context.history.space(context.selection.layer);
  if (!space || space->vectors_SR.empty()) {
    return error(
        "layer " + std::to_string(context.selection.layer + 1) + "'s router space is not recorded up to this step",
        "record.space_every says how often it is; a window records it too while its Sphere is open");
  }
  return sphere_scene(context, size, *space, sphere_basis(*space, nullptr), {});
}

Result<Scene> loss(const ViewContext& context, Size size) { return loss_scene(context, size, {}); }

Result<Scene> tokens(const ViewContext& context, Size size) {
  if (context.history.expert_tokens().empty()) {
    return error("the experts' tokens are not recorded up to this step",
                 "a window records them while its Top tokens are open");
  }
  return tokens_scene(context, size);
}

struct Still {
  const char* name;
  Result<Scene> (*draw)(const ViewContext& context, Size size);
  ShownOfOthers others = {};
};
constexpr std::array kStills{Still{"flow", flow},
                             Still{"fluctuation", fluctuation, {true, true}},
                             Still{"load", load, {false, true}},
                             Still{"sphere", sphere},
                             Still{"loss", loss, {true, false}},
                             Still{"tokens", tokens}};

}  // namespace

std::vector<std::string> still_names() {
  std::vector<std::string> names;
  for (const Still& still : kStills) names.emplace_back(still.name);
  return names;
}

ShownOfOthers shown_of_others(const std::string& name) {
  for (const Still& still : kStills)
    if (name == still.name) return still.others;
  return {};
}

Result<Scene> still_scene(const std::string& name, const telemetry::History& history, const StillOptions& options) {
  if (!history.run() || !history.latest()) return error("no step is recorded");
  for (const Still& still : kStills) {
    if (name != still.name) continue;
    bus::RunStatus status;
    status.state = bus::RunState::kFinished;
    status.step = history.latest()->step;
    Selection selection;
    selection.layer = options.layer;
    selection.against = options.against;
    ViewContext context{history, status, selection, palette(options.theme)};
    context.ghosts = options.ghosts;
    return still.draw(context, options.size);
  }
  return error("there is no view '" + printable(name) + "' that a record is enough for",
               "there are " + join_or(still_names()));
}

}  // namespace moescope::views
