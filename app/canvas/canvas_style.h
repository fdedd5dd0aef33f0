#pragma once
// ImGui's style from the palette, so that a canvas and the Qt frame around it look like one thing. Threads: pure.

#include <imgui.h>

#include "views/scene/palette.h"

namespace moescope::app {

void apply_style(ImGuiStyle& style, const views::Palette& palette);

}  // namespace moescope::app
