#pragma once
// A corpus small enough to learn in a second: in each of its two labels the next token follows from the one before,
// three times out of four. Made by hand, so that these tests need neither files nor a tokenizer.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/seed.h"
#include "core/corpus/corpus.h"

namespace moescope::test {

inline constexpr int kTinyVocab = 48;

/// One byte, one token.
class TinyTokenizer : public corpus::Tokenizer {
 public:
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c) % kTinyVocab);
    return ids;
  }
  std::string decode(const std::vector<std::int32_t>& ids) const override {
    std::string text;
    for (const std::int32_t id : ids) text += piece(id);
    return text;
  }
  std::string piece(std::int32_t id) const override { return "<" + std::to_string(id) + ">"; }
  int vocab_size() const override { return kTinyVocab; }
  std::string identity() const override { return "tiny"; }
};

inline void fill(corpus::Split& split, std::uint64_t seed, int num_documents) {
  SeededWords words(seed);
  split.begin_D.push_back(0);
  for (int d = 0; d < num_documents; ++d) {
    const int label = d % 2;
    std::int32_t token = 0;
    for (int i = 0; i < 90; ++i) {
      const bool follows = words.below(4) != 0;
      token = follows ? (token * 5 + 7 + 11 * label) % kTinyVocab : static_cast<std::int32_t>(words.below(kTinyVocab));
      split.tokens.push_back(token);
    }
    split.begin_D.push_back(static_cast<std::int64_t>(split.tokens.size()));
    split.label_D.push_back(static_cast<std::int16_t>(label));
    split.name_D.push_back("document " + std::to_string(d));
  }
}

inline std::shared_ptr<const corpus::Corpus> tiny_corpus() {
  auto made = std::make_shared<corpus::Corpus>();
  made->name = "tiny";
  made->identity = "0123456789abcdef";
  made->labels = {"even", "odd"};
  fill(made->train, 1, 80);
  fill(made->valid, 2, 12);
  fill(made->probe, 3, 12);
  made->tokenizer = std::make_shared<TinyTokenizer>();
  made->special = {kTinyVocab, kTinyVocab + 1, kTinyVocab + 2, kTinyVocab + 3, {}};
  made->special = {kTinyVocab, kTinyVocab + 1, kTinyVocab + 2, kTinyVocab + 3, {}};
  made->unigram_entropy_bits = 5.5;
  return made;
}

}  // namespace moescope::test
