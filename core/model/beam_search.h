#pragma once
// Translation by beam search. Hypotheses are ranked by log P(y|x) / ((5 + |y|) / 6)^α (Wu et al. 2016, equation 14,
// without the coverage penalty); |y| counts the end token. A beam of one is greedy search.
// Threads: trainer thread only.

#include <cstdint>
#include <functional>
#include <vector>

#include "core/model/translator.h"

namespace moescope::model {

struct BeamSettings {
  int width = 4;
  double length_penalty = 1;  ///< α: 0 favours short translations, more favours longer ones
};

struct Hypothesis {
  std::vector<std::int32_t> tokens;  ///< without begin and end
  double log_prob = 0;               ///< nats, of the tokens and the end
  double score = 0;
  bool ended = true;  ///< by itself; false: cut where the context or twice the source's length ended
};

/// The best hypothesis for each source row (see source_row()). All are searched side by side; what the encoder made is
/// kept. A router whose evaluation has a capacity counts every prefix of every beam. `stop` is asked between tokens;
/// once it says so the best so far comes back.
std::vector<Hypothesis> beam_search(Translator& model, const std::vector<std::vector<std::int64_t>>& sources,
                                    const BeamSettings& settings, const std::function<bool()>& stop = {});

}  // namespace moescope::model
