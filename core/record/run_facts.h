#pragma once
// RunFacts as the JSON text under meta's "facts". Private to this room. Threads: pure functions.

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/record/run_rows.h"

namespace moescope::record {

std::string facts_json(const RunFacts& facts);

/// Limited in size and depth; what is missing or of the wrong type is an error that names it.
Result<RunFacts> facts_from_json(std::string_view text);

}  // namespace moescope::record
