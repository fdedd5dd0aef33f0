#pragma once
// The declared keys as documentation, in Markdown. Threads: pure functions.

#include <string>

#include "core/config/method_info.h"

namespace moescope::config {

/// One section as a heading and a table: key, default, what is allowed, what it is.
std::string section_documentation(const Schema& schema);

/// Every common section, then what each method adds. resources/help/config.md is this text.
std::string documentation(const MethodCatalogue& catalogue);

}  // namespace moescope::config
