#pragma once
// A scene as an SVG file: what is painted on screen, for papers and slides. Text stays text, patterns are patterns,
// heat maps are embedded PNGs, and every hit box carries its tooltip; no script and no outside reference.
// Threads: pure functions.

#include <string>

#include "views/scene/palette.h"
#include "views/scene/scene.h"

namespace moescope::views {

/// The whole file, UTF-8. The scene's summary becomes its title, `colors.dock` its ground. Whatever the texts hold and
/// whichever coordinates are not finite, the result is well-formed XML.
std::string to_svg(const Scene& scene, const Palette& colors = palette(Theme::kLight));

}  // namespace moescope::views
