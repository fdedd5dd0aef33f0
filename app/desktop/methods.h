#pragma once
// What the window needs of the registry of methods, as plain values: the torch rooms stay behind methods.cpp.
// Threads: plain values.

#include <functional>
#include <string>

#include "core/config/run_config.h"

namespace moescope::app {

/// What a run will take, said before it starts.
struct RunPlan {
  std::string memory;    ///< "about 96 MB of memory: …"
  std::string disk;      ///< "about 34 MB: …"
  Diagnostics problems;  ///< why it cannot or may not fit
};

struct Methods {
  config::MethodCatalogue catalogue;
  /// The method's own rules and lints for a configuration that was read without errors.
  std::function<Diagnostics(const config::RunConfig&)> check;
  /// Of a configuration that `check` found no error in.
  std::function<RunPlan(const config::RunConfig&)> plan;
};

Methods registered_methods();

}  // namespace moescope::app
