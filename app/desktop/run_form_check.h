#pragma once
// The form's values as a configuration, or what is wrong, each message at the field it is about. No Qt.
// Threads: pure function.

#include <map>
#include <optional>
#include <string>

#include "app/desktop/methods.h"

namespace moescope::app {

struct FormCheck {
  std::optional<config::RunConfig> config;
  std::map<std::string, Diagnostic> errors;  ///< by full key; warnings too
  Diagnostics elsewhere;                     ///< about no single field
};

FormCheck check_form(const std::map<std::string, config::Value>& values, const Methods& methods);

}  // namespace moescope::app
