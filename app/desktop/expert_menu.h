#pragma once
// What can be done with an expert and its layer, as a menu at the pointer: canvases and the list of experts share it.
// Threads: UI thread only.

#include <QPoint>

class QWidget;

namespace moescope::app {

class Session;

/// `expert` −1: only what concerns the layer. Does not wait for the choice.
void show_expert_menu(Session& session, int layer, int expert, QPoint at, QWidget* parent);

}  // namespace moescope::app
