#pragma once
// The rules of a configuration that concern several keys at once. Threads: pure functions.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/config/run_config.h"

namespace moescope::config {

/// Every broken rule at its most specific key. A rule over a key in `bad` (already reported) is passed over.
Diagnostics check_rules(const RunConfig& config, const std::set<std::string>& bad);

/// "1,2,3" as numbers; nothing when it is not such a list.
std::optional<std::vector<int>> parse_blocks(const std::string& text);

}  // namespace moescope::config
