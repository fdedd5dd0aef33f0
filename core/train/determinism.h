#pragma once
// What must be equal for two runs of one configuration to have equal bits. Threads: pure functions.

#include <map>
#include <string>

#include "core/train/preparation.h"

namespace moescope::train {

/// "moescope" (version), "compiler", "torch", "cpu" (the vector instructions LibTorch uses, and the processor's name),
/// "threads", "precision", "device", "corpus" (identity), "byte order" is little endian everywhere.
std::map<std::string, std::string> determinism_class(const config::RunConfig& config, const Material& material);

/// "torch was 2.11.0 and is 2.12.0; threads was 1 and is 2"; empty when all is equal.
std::string class_difference(const std::map<std::string, std::string>& was,
                             const std::map<std::string, std::string>& is);

}  // namespace moescope::train
