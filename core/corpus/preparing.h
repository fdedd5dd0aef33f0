#pragma once
// What the preparation of plain and of parallel corpora shares. Threads: functions without state.

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/corpus/corpus.h"

namespace moescope::corpus {

struct MadeTokenizer {
  std::shared_ptr<const Tokenizer> tokenizer;
  bool kept = true;  ///< on the disk, as far as it needs to be
};

/// The tokenizer a request asks for: bytes, or pieces from `model_path`, or learnt from `training_texts` and kept
/// there.
Result<MadeTokenizer> make_tokenizer(const config::DataConfig& data, const std::string& model_path,
                                     const std::function<std::vector<std::string_view>()>& training_texts,
                                     const Progress& progress, const std::stop_token& stop,
                                     std::vector<std::string>& notes);

/// "1 token", "1,024 tokens"
std::string counted(std::int64_t count, const std::string& noun);

/// `amount` is what there is: "500 tokens in 1 document".
Diagnostic too_small(const std::string& corpus, const std::string& amount, int context);

/// Tokens that training, validation and probe need together.
std::int64_t least_tokens(int context);

double unigram_entropy_bits(const std::vector<std::int32_t>& tokens, int vocab_size);

/// Ids above the tokenizer's own for the symbols every corpus has.
void add_specials(Corpus& corpus);

Result<std::shared_ptr<const Corpus>> prepare_plain(const CorpusRequest& request, const Progress& progress,
                                                    const std::stop_token& stop);

/// Whether a request is for sentence pairs.
bool wants_pairs(const config::DataConfig& data);

Result<std::shared_ptr<const Corpus>> prepare_parallel(const CorpusRequest& request, const Progress& progress,
                                                       const std::stop_token& stop);

}  // namespace moescope::corpus
