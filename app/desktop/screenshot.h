#pragma once
// Runs to a step, writes a picture of the window and quits: the README's picture and the smoke test.
// Threads: UI thread only.

#include <QString>

#include <cstdint>
#include <optional>

namespace moescope::app {

class MainWindow;

/// Of a run that trains at `step` or soon after it, of a recorded one as it was at that step; without one after some
/// steps, or at its end. The program ends with exit code 0 when the picture was written, 1 when the run failed or the
/// file could not be, 2 when there is nothing to take it of: a run that cannot be read or has no such step.
void take_screenshot(MainWindow& window, const QString& file, std::optional<std::int64_t> step);

}  // namespace moescope::app
