#pragma once
// Warnings before a run starts: what is allowed and still most likely a slip. Threads: pure functions.

#include <string>

#include "core/config/run_config.h"

namespace moescope::moe {

/// A warning at `key`: what is odd and why, and the remedy.
Diagnostic lint_at(const config::RunConfig& config, const std::string& key, std::string message, std::string hint);

}  // namespace moescope::moe
