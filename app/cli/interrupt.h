#pragma once
// Ctrl-C: the first asks for a clean stop, a second one ends the program at once with exit code 130.
// Threads: install once, from the main thread.

namespace moescope::cli {

/// Also for SIGTERM, as a service manager sends it.
void watch_interrupts();
bool interrupted();

}  // namespace moescope::cli
