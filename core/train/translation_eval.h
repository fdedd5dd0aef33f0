#pragma once
// What a translation model is worth: BLEU of the validation pairs, overall and by language.
// Threads: trainer thread only.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/config/run_config.h"
#include "core/corpus/corpus.h"
#include "core/model/translator.h"

namespace moescope::train {

/// The best translation of each source row (see model::source_row()), as text. Empty once `stop` says so.
std::vector<std::string> translate(model::Translator& model, const corpus::Corpus& corpus,
                                   const config::DecodeConfig& decode,
                                   const std::vector<std::vector<std::int64_t>>& source_rows,
                                   const std::function<bool()>& stop = {});

struct LanguageScore {
  std::string language;  ///< label of the corpus; "all" of all pairs together
  double bleu = 0;       ///< 0 to 100
  std::int64_t num_pairs = 0;
};

struct TranslationScores {
  std::vector<LanguageScore> scores;  ///< "all" first; empty when there was nothing to translate, or a stop
  std::string signature;
};

/// decode.sentences validation pairs, in turn from each language and the same for every run, translated and compared
/// with their target texts. Pairs longer than the context take no part, as in training.
TranslationScores evaluate_translation(model::Translator& model, const corpus::Corpus& corpus,
                                       const config::DecodeConfig& decode, const std::function<bool()>& stop = {});

}  // namespace moescope::train
