#pragma once
// What the probe reads: held-out text of the kind the objective learns from, the same for the whole run and for every
// method. Threads: trainer thread only.

#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "core/corpus/corpus.h"
#include "core/model/dataset.h"
#include "core/telemetry/frame.h"

namespace moescope::train {

struct ProbeText {
  model::Batch batch;                         ///< without targets; no sequence when there is no text
  std::vector<telemetry::ProbeToken> tokens;  ///< of a translation the source tokens first, then the target tokens
};

/// About probe.tokens tokens: of a language model pieces of texts (nothing hidden), of a translation whole pairs, of a
/// classifier the beginnings of texts. Labels in turn, drawn from the run's seed.
ProbeText probe_text(const config::RunConfig& config, const corpus::Corpus& corpus);

/// A token as a person reads it, a special one in angle brackets: "<end>", "<French>".
std::string piece_of(const corpus::Corpus& corpus, std::int64_t id);

}  // namespace moescope::train
