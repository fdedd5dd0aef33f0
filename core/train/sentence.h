#pragma once
// A sentence someone typed: where the model would send each of its pieces, and how it would go on.
// Threads: trainer thread only.

#include <cstdint>
#include <string>

#include "core/bus/command.h"
#include "core/corpus/tokenizer.h"
#include "core/model/model.h"
#include "core/train/outcome.h"

namespace moescope::train {

/// Routes `text` as the probe does and continues it by the method's evaluation rule, drawing from `seed` alone. Changes
/// nothing in the model. Refuses a text without tokens; of a text longer than the context the end counts.
Outcome probe_sentence(model::Model& model, const corpus::Tokenizer& tokenizer, const std::string& text,
                       std::uint64_t seed, bus::SentenceResult& result);

}  // namespace moescope::train
