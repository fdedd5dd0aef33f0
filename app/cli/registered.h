#pragma once
// What the CLI needs of the registered methods, without LibTorch's headers. Threads: pure functions.

#include "core/config/run_config.h"

namespace moescope::cli {

config::MethodCatalogue registered_methods();

/// A method's own rules and lints. Requires: the configuration passed read_run_config() with registered_methods().
Diagnostics check_method(const config::RunConfig& config);

}  // namespace moescope::cli
