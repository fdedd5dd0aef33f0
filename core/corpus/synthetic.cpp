#include "core/corpus/synthetic.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/seed.h"

namespace moescope::corpus {
namespace {

constexpr int kDocumentsPerClass = 400;
constexpr std::size_t kDocumentBytes = 700;
constexpr int kNumLanguages = 4;

/// Words made of syllables of its own letters; after each word one of six may follow, with falling probability.
class MarkovLanguage {
 public:
  static constexpr std::size_t kNumWords = 300, kNumFollowers = 6;

  MarkovLanguage(std::uint64_t seed, int index) {
    SeededWords draw(derive_seed(seed, "synthetic language", static_cast<std::uint64_t>(index)));
    constexpr std::array<std::string_view, kNumLanguages> kConsonants{"bdgklm", "fhnprs", "tvwzkj", "crmlsy"};
    constexpr std::array<std::string_view, kNumLanguages> kVowels{"aeo", "iou", "aiu", "eiy"};
    const std::string_view consonants = kConsonants[static_cast<std::size_t>(index)];
    const std::string_view vowels = kVowels[static_cast<std::size_t>(index)];
    for (std::size_t w = 0; w < kNumWords; ++w) {
      std::string word;
      for (std::uint64_t left = 1 + draw.below(3); left > 0; --left) {
        word += consonants[draw.below(consonants.size())];
        word += vowels[draw.below(vowels.size())];
      }
      words_.push_back(word);
      for (std::size_t f = 0; f < kNumFollowers; ++f) followers_.push_back(draw.below(kNumWords));
    }
  }

  std::size_t follower(std::size_t word, SeededWords& draw) const {
    // Two draws, the smaller taken: the first follower is the likeliest, with weights 11, 9, 7, 5, 3, 1 of 36.
    const std::size_t which = std::min(draw.below(kNumFollowers), draw.below(kNumFollowers));
    return followers_[word * kNumFollowers + which];
  }
  const std::string& word(std::size_t index) const { return words_[index]; }

 private:
  std::vector<std::string> words_;
  std::vector<std::size_t> followers_;
};

std::string sentence(const MarkovLanguage& language, SeededWords& draw) {
  std::string text;
  std::size_t word = draw.below(MarkovLanguage::kNumWords);
  for (std::uint64_t left = 6 + draw.below(8); left > 0; --left) {
    text += language.word(word) + (left > 1 ? " " : ".\n");
    word = language.follower(word, draw);
  }
  return text;
}

std::string letters(SeededWords& draw) {
  std::string text;
  for (std::uint64_t left = 3 + draw.below(8); left > 0; --left)
    text += static_cast<char>('a' + static_cast<int>(draw.below(26)));
  return text;
}

std::string arithmetic(SeededWords& draw) {
  const std::uint64_t a = draw.below(100), b = draw.below(100);
  const bool plus = draw.below(2) == 0 || a < b;
  return std::to_string(a) + (plus ? '+' : '-') + std::to_string(b) + '=' + std::to_string(plus ? a + b : a - b) + '\n';
}

/// Word by word from one language into another: the word of the same number, the order of the words kept.
std::string translation(const MarkovLanguage& from, const MarkovLanguage& to, SeededWords& draw) {
  std::string source = "translate", target = " into";
  std::size_t word = draw.below(MarkovLanguage::kNumWords);
  for (std::uint64_t left = 2 + draw.below(4); left > 0; --left) {
    source += ' ' + from.word(word);
    target += ' ' + to.word(word);
    word = from.follower(word, draw);
  }
  return source + target + '\n';
}

std::string example(int kind, const std::vector<MarkovLanguage>& languages, SeededWords& draw) {
  if (kind < kNumLanguages) return sentence(languages[static_cast<std::size_t>(kind)], draw);
  if (kind == kNumLanguages) {
    const std::string text = letters(draw);
    return "copy " + text + " gives " + text + '\n';
  }
  if (kind == kNumLanguages + 1) {
    const std::string text = letters(draw);
    return "reverse " + text + " gives " + std::string(text.rbegin(), text.rend()) + '\n';
  }
  if (kind == kNumLanguages + 2) return arithmetic(draw);
  return translation(languages[0], languages[1], draw);
}

}  // namespace

DocumentSet make_synthetic(std::uint64_t seed) {
  DocumentSet set;
  set.name = "synthetic";
  set.labels = {"Markov A", "Markov B", "Markov C", "Markov D", "copy", "reverse", "arithmetic", "translation"};
  std::vector<MarkovLanguage> languages;
  for (int i = 0; i < kNumLanguages; ++i) languages.emplace_back(seed, i);
  for (int kind = 0; kind < static_cast<int>(set.labels.size()); ++kind) {
    for (int d = 0; d < kDocumentsPerClass; ++d) {
      SeededWords draw(
          derive_seed(seed, "synthetic text", static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(d)));
      std::string text;
      while (text.size() < kDocumentBytes) text += example(kind, languages, draw);
      const std::string name = set.labels[static_cast<std::size_t>(kind)] + ' ' + std::to_string(d + 1);
      set.documents.push_back({static_cast<std::int16_t>(kind), name, std::move(text)});
    }
  }
  return set;
}

}  // namespace moescope::corpus
