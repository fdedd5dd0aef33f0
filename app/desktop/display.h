#pragma once
// Whether a window can be opened at all: asked before Qt, which would abort. No Qt. Threads: main thread, at start.

#include <string>

namespace moescope::app {

/// An empty text, or one sentence that says what is missing and what works without.
std::string display_problem();

/// --help and --version need no display.
bool asks_for_words(int argc, char** argv);

}  // namespace moescope::app
