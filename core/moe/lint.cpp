#include "core/moe/lint.h"

#include <utility>

namespace moescope::moe {

Diagnostic lint_at(const config::RunConfig& config, const std::string& key, std::string message, std::string hint) {
  Diagnostic diagnostic = config::error_at(config, key, std::move(message), std::move(hint));
  diagnostic.severity = Severity::kWarning;
  return diagnostic;
}

}  // namespace moescope::moe
