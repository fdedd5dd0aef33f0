#pragma once
// The list of keys, and what this program is. Threads: UI thread only.

class QWidget;

namespace moescope::app {

class Actions;

void show_keys(const Actions& actions, QWidget* parent);
void show_about(QWidget* parent);

}  // namespace moescope::app
