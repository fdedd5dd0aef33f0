#pragma once
// A view's picture without its window: by name, from a history alone. What a view draws depends on nothing else but the
// selection, so a recorded run gives the same picture as the window gave when it stood at that step.
// Threads: pure functions.

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/telemetry/history.h"
#include "views/scene/palette.h"
#include "views/scene/scene.h"

namespace moescope::views {

/// The views that a history is enough for, in the order of the default layout; the names are those of View::id().
std::vector<std::string> still_names();

/// What a view shows of runs behind the one it is about.
struct ShownOfOthers {
  bool curves = false;      ///< of every one
  bool difference = false;  ///< to a comparable one
  bool any() const { return curves || difference; }
};
/// Nothing for a view that is not known.
ShownOfOthers shown_of_others(const std::string& name);

struct StillOptions {
  Size size{760, 440};
  Theme theme = Theme::kLight;
  int layer = 0;                              ///< from 0; of the views that show one
  std::vector<telemetry::Ghost> ghosts = {};  ///< other runs behind this one
  std::optional<std::string> against = {};    ///< the ghost that views show the difference to, where they can
};

/// The picture at the history's newest step. Errors: no such view, nothing recorded that it could draw.
Result<Scene> still_scene(const std::string& name, const telemetry::History& history, const StillOptions& options);

}  // namespace moescope::views
