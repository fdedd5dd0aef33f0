#pragma once
// What the window needs of the registry of methods, as plain values: the torch rooms stay behind methods.cpp.
// Threads: plain values.

#include <functional>

#include "core/config/run_config.h"

namespace moescope::app {

struct Methods {
  config::MethodCatalogue catalogue;
  /// The method's own rules and lints for a configuration that was read without errors.
  std::function<Diagnostics(const config::RunConfig&)> check;
};

Methods registered_methods();

}  // namespace moescope::app
