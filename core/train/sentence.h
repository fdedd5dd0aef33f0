#pragma once
// A sentence someone typed: where the model would send each of its pieces, and what it answers: a language model goes
// on with it, a translator translates it into every language, a classifier names its class.
// Threads: trainer thread only.

#include <cstdint>
#include <string>

#include "core/bus/command.h"
#include "core/config/run_config.h"
#include "core/corpus/corpus.h"
#include "core/model/model.h"
#include "core/train/outcome.h"

namespace moescope::train {

/// Routes `text` as the probe does and answers it by the method's evaluation rule; a continuation draws from `seed`
/// alone. Changes nothing in the model. Refuses a text without tokens. Of a text longer than the context the end counts
/// where it is continued, else the beginning. Of a translation the tokens are those of the source, then those of the
/// translation into the first language.
Outcome probe_sentence(model::Model& model, const corpus::Corpus& corpus, const config::RunConfig& config,
                       const std::string& text, std::uint64_t seed, bus::SentenceResult& result);

}  // namespace moescope::train
