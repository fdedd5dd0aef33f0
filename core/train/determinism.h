#pragma once
// What must be equal for two runs of one configuration to have equal bits. Threads: pure functions.

#include <map>
#include <string>

#include "core/train/preparation.h"

namespace moescope::train {

/// "moescope" (version), "compiler", "torch", "cpu" (the vector instructions LibTorch uses, and the processor's name),
/// "threads", "precision", "device", "corpus" (identity), "byte order" is little endian everywhere.
std::map<std::string, std::string> determinism_class(const config::RunConfig& config, const Material& material);

/// The number of threads that a run recorded with `was` trained with takes the place of a default one, so that the bits
/// are the same where another number would be the default.
void use_recorded_threads(const std::map<std::string, std::string>& was, config::TrainConfig& train);

/// Throws when the corpora are not the same: then nothing recorded can be trained again.
void require_same_corpus(const std::map<std::string, std::string>& was, const std::map<std::string, std::string>& is);

/// "torch was 2.11.0 and is 2.12.0; threads was 1 and is 2"; empty when all is equal.
std::string class_difference(const std::map<std::string, std::string>& was,
                             const std::map<std::string, std::string>& is);

}  // namespace moescope::train
