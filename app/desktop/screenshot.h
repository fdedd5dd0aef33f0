#pragma once
// Runs to a step, writes a picture of the window and quits: the README's picture and the smoke test.
// Threads: UI thread only.

#include <QString>

namespace moescope::app {

class MainWindow;

/// Exit code 0 when the picture was written, 1 when the run failed or the file could not be.
void take_screenshot(MainWindow& window, const QString& file, long long after_steps);

}  // namespace moescope::app
