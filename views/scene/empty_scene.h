#pragma once
// What a view shows while it has nothing to draw: what will appear, what to do, how far a preparation is, why a run
// failed. Designed like any other picture. Threads: pure functions.

#include <optional>
#include <string>

#include "views/view.h"

namespace moescope::views {

/// A calm panel: `title`, then what will appear here, then what to do (accent). Long lines wrap or, in very small
/// canvases, are cut from the last one up.
Scene empty_scene(Size size, const Palette& palette, const std::string& title, const std::string& what_will_appear,
                  const std::string& what_to_do);

/// The scene to show instead of the picture while there is nothing to draw yet: no run, a run that prepares (which
/// step, how far), one that failed before its first step, or one whose first frame has not come. Nothing when there
/// is at least one frame. `title` is the view's name, `what_will_appear` one sentence about its picture.
std::optional<Scene> waiting_scene(const ViewContext& context, Size size, const std::string& title,
                                   const std::string& what_will_appear);

}  // namespace moescope::views
