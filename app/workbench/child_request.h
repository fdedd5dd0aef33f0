#pragma once
// A RunRequest as bytes, for a training process. Threads: pure functions.

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/train/trainer_thread.h"

namespace moescope::app {

/// Everything but the ring, which holds tensors and stays behind. The configuration goes as TOML, together with where
/// the user wrote each key, so that messages point at the same places.
std::string request_bytes(const train::RunRequest& request, const config::MethodInfo& method);

/// Checks the configuration anew with `catalogue`. Errors: not such bytes, or a configuration that is refused.
Result<train::RunRequest> read_request(std::string_view bytes, const config::MethodCatalogue& catalogue);

}  // namespace moescope::app
