#pragma once
// The fonts of a canvas, from where Debian's fonts-inter and fonts-jetbrains-mono put them. Threads: UI thread only.

#include "views/panels/fonts.h"

struct ImFontAtlas;

namespace moescope::app {

/// A font whose file is missing stays null (ImGui's own stands in) and is named once in the log.
views::Fonts load_fonts(ImFontAtlas& atlas);

}  // namespace moescope::app
