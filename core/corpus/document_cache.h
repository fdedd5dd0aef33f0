#pragma once
// What is kept between runs: the cleaned documents or sentence pairs of a built-in corpus, and the token ids of a
// corpus.
// Threads: as sealed_file.h.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/corpus/document.h"
#include "core/corpus/pair_set.h"

namespace moescope::corpus {

Status save_documents(const std::string& path, const DocumentSet& set);

/// Nothing when the file is missing or damaged; `notes` then says so for a damaged one.
std::optional<DocumentSet> load_documents(const std::string& path, std::vector<std::string>& notes);

Status save_pairs(const std::string& path, const PairSet& set);

/// As load_documents(). A set may have languages, with their counts, and no pairs.
std::optional<PairSet> load_pairs(const std::string& path, std::vector<std::string>& notes);

/// Token ids of each document, in the order of the documents.
using DocumentTokens = std::vector<std::vector<std::int32_t>>;

Status save_tokens(const std::string& path, const std::string& tokenizer, const DocumentTokens& tokens);

/// Nothing when missing, damaged, made by another tokenizer, not of `num_documents` documents, or with an id outside
/// [0, vocab_size).
std::optional<DocumentTokens> load_tokens(const std::string& path, std::size_t num_documents, int vocab_size,
                                          const std::string& tokenizer, std::vector<std::string>& notes);

/// Keeps the newest tokenizers of users' texts, synthetic ones and choices of languages, and those of `manuals`; each
/// change of a text makes another. Kept tokens go with their tokenizer.
void forget_old_models(const std::string& folder);

}  // namespace moescope::corpus
