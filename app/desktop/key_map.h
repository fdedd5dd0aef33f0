#pragma once
// Qt's keys as ImGui names them. Threads: pure function.

#include <imgui.h>

namespace moescope::app {

/// ImGuiKey_None for a key ImGui does not know.
ImGuiKey imgui_key(int qt_key, bool keypad);

}  // namespace moescope::app
