#pragma once
// Parallel and classified corpora small enough to learn in seconds, made by hand.

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/seed.h"
#include "core/corpus/corpus.h"
#include "tests/core/model/tiny_corpus.h"

namespace moescope::test {

inline constexpr int kWords = 16;

/// Words "w0" to "w15", apart by blanks.
class WordTokenizer : public corpus::Tokenizer {
 public:
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) ids.push_back(std::stoi(word.substr(1)) % kWords);
    return ids;
  }
  std::string decode(const std::vector<std::int32_t>& ids) const override {
    std::string text;
    for (const std::int32_t id : ids) text += (text.empty() ? "w" : " w") + std::to_string(id);
    return text;
  }
  std::string piece(std::int32_t id) const override { return "w" + std::to_string(id); }
  int vocab_size() const override { return kWords; }
  std::string identity() const override { return "words"; }
};

/// "copy" repeats a sentence, "reverse" turns it round. Sentences of 4 to 7 words.
inline void fill(corpus::PairSplit& pairs, const corpus::Tokenizer& tokenizer, std::uint64_t seed, int count) {
  SeededWords words(seed);
  pairs.source_begin_P = pairs.target_begin_P = {0};
  for (int p = 0; p < count; ++p) {
    std::vector<std::int32_t> source(4 + words.below(4));
    for (std::int32_t& id : source) id = static_cast<std::int32_t>(words.below(kWords));
    std::vector<std::int32_t> target = source;
    if (p % 2 == 1) std::reverse(target.begin(), target.end());
    pairs.source_tokens.insert(pairs.source_tokens.end(), source.begin(), source.end());
    pairs.target_tokens.insert(pairs.target_tokens.end(), target.begin(), target.end());
    pairs.source_begin_P.push_back(static_cast<std::int64_t>(pairs.source_tokens.size()));
    pairs.target_begin_P.push_back(static_cast<std::int64_t>(pairs.target_tokens.size()));
    pairs.label_P.push_back(static_cast<std::int16_t>(p % 2));
    pairs.name_P.push_back("pair " + std::to_string(p));
    pairs.source_text_P.push_back(tokenizer.decode(source));
    pairs.target_text_P.push_back(tokenizer.decode(target));
  }
}

/// Validation repeats training, so that what is learnt by heart counts.
inline std::shared_ptr<const corpus::Corpus> tiny_pairs() {
  auto made = std::make_shared<corpus::Corpus>();
  made->name = "pairs";
  made->identity = "fedcba9876543210";
  made->labels = {"copy", "reverse"};
  made->tokenizer = std::make_shared<WordTokenizer>();
  made->special = {kWords, kWords + 1, kWords + 2, kWords + 3, {kWords + 4, kWords + 5}};
  fill(made->train_pairs, *made->tokenizer, 1, 64);
  fill(made->valid_pairs, *made->tokenizer, 1, 64);
  fill(made->probe_pairs, *made->tokenizer, 3, 20);
  return made;
}

/// tiny_corpus() with a class for each document: which half of the vocabulary its first tokens
/// are drawn from. Documents are of unequal length.
inline std::shared_ptr<const corpus::Corpus> tiny_classes() {
  auto made = std::make_shared<corpus::Corpus>(*tiny_corpus());
  made->labels = {"English", "Deutsch"};
  made->classes = {"low", "high"};
  SeededWords words(5);
  for (corpus::Split* split : {&made->train, &made->valid, &made->probe}) {
    const std::size_t documents = split->label_D.size();
    split->tokens.clear();
    split->begin_D = {0};
    for (std::size_t d = 0; d < documents; ++d) {
      const auto its_class = static_cast<std::int16_t>(words.below(2));
      split->class_D.push_back(its_class);
      for (std::uint64_t left = 6 + words.below(20); left > 0; --left) {
        split->tokens.push_back(static_cast<std::int32_t>(words.below(kTinyVocab / 2)) + its_class * kTinyVocab / 2);
      }
      split->begin_D.push_back(static_cast<std::int64_t>(split->tokens.size()));
    }
  }
  return made;
}

}  // namespace moescope::test
