#pragma once
// The model's parameters as a safetensors file.
// Threads: trainer thread only.

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/model/model.h"

namespace moescope::train {

/// The file is whole or absent. Metadata: format, method, step.
Status save_weights(const std::string& path, const model::Model& model, const std::string& method, std::int64_t step);

}  // namespace moescope::train
