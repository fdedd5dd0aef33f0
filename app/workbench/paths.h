#pragma once
// Where the programs find and keep things. Threads: pure functions of the environment.

#include <string>

namespace moescope::app {

/// $MOESCOPE_CACHE, else ~/.cache/moescope; absolute. Corpora and tokenizers live there.
std::string cache_folder();

/// The folder of sample configurations; empty when it cannot be found.
std::string sample_configs_folder();

/// The folder of icons, palette and help; empty when it cannot be found.
std::string resources_folder();

}  // namespace moescope::app
