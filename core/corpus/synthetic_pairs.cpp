#include "core/corpus/synthetic_pairs.h"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/seed.h"

namespace moescope::corpus {
namespace {

constexpr int kNumSentences = 6000;

enum Kind : std::size_t { kDeterminer, kAdjective, kNoun, kVerb, kPreposition, kAdverb, kNumKinds };
constexpr std::array<std::uint64_t, kNumKinds> kNumWords{4, 30, 80, 40, 6, 10};

enum class VerbPlace { kFirst, kSecond, kLast };

struct Grammar {
  const char* code;
  const char* label;
  std::string_view consonants, vowels;
  const char* plural;  ///< ending of a noun
  bool adjective_behind = false;
  VerbPlace verb = VerbPlace::kSecond;
  bool preposition_behind = false;
};

constexpr std::array kGrammars{
    Grammar{"base", "base", "bdgklmnrst", "aeiou", "s"},
    Grammar{"a", "rule A", "fhlnprsv", "aeo", "x", true},
    Grammar{"b", "rule B", "bdfgkrtz", "iou", "en", false, VerbPlace::kLast},
    Grammar{"c", "rule C", "crlmsywh", "eiy", "im", false, VerbPlace::kFirst, true},
    Grammar{"d", "rule D", "kmptvwzj", "aiu", "lar", true, VerbPlace::kLast},
};

using Words = std::vector<std::string>;

/// The words of one language; no word stands for two things.
class Lexicon {
 public:
  Lexicon(const Grammar& grammar, std::uint64_t seed) {
    SeededWords draw(seed);
    std::set<std::string> taken;
    for (std::size_t kind = 0; kind < kNumKinds; ++kind) {
      while (words_[kind].size() < kNumWords[kind]) {
        std::string word;
        for (std::uint64_t left = kind == kDeterminer || kind == kPreposition ? 1 : 2 + draw.below(2); left > 0;
             --left) {
          word += grammar.consonants[draw.below(grammar.consonants.size())];
          word += grammar.vowels[draw.below(grammar.vowels.size())];
        }
        if (taken.insert(word).second) words_[kind].push_back(std::move(word));
      }
    }
  }
  const std::string& word(Kind kind, std::uint64_t index) const { return words_[kind][index]; }

 private:
  std::array<Words, kNumKinds> words_;
};

struct NounPhrase {
  std::uint64_t determiner = 0, noun = 0;
  std::optional<std::uint64_t> adjective;
  bool plural = false;
};

struct Sentence {
  NounPhrase subject;
  std::uint64_t verb = 0;
  std::optional<std::uint64_t> adverb;
  std::optional<NounPhrase> object;
  std::optional<std::pair<std::uint64_t, NounPhrase>> place;  ///< preposition and what it is with
};

NounPhrase draw_phrase(SeededWords& draw) {
  NounPhrase phrase{draw.below(kNumWords[kDeterminer]), draw.below(kNumWords[kNoun]), {}, draw.below(3) == 0};
  if (draw.below(2) == 0) phrase.adjective = draw.below(kNumWords[kAdjective]);
  return phrase;
}

Sentence draw_sentence(SeededWords& draw) {
  Sentence sentence;
  sentence.subject = draw_phrase(draw);
  sentence.verb = draw.below(kNumWords[kVerb]);
  if (draw.below(4) == 0) sentence.adverb = draw.below(kNumWords[kAdverb]);
  if (draw.below(3) != 0) sentence.object = draw_phrase(draw);
  if (draw.below(3) == 0) {
    const std::uint64_t preposition = draw.below(kNumWords[kPreposition]);
    sentence.place = {preposition, draw_phrase(draw)};
  }
  return sentence;
}

class Speaker {
 public:
  Speaker(const Grammar& grammar, std::uint64_t seed) : grammar_(grammar), lexicon_(grammar, seed) {}

  std::string say(const Sentence& sentence) const {
    Words words, verb{lexicon_.word(kVerb, sentence.verb)};
    if (sentence.adverb) verb.push_back(lexicon_.word(kAdverb, *sentence.adverb));
    if (grammar_.verb == VerbPlace::kFirst) add(words, verb);
    add(words, phrase(sentence.subject));
    if (grammar_.verb == VerbPlace::kSecond) add(words, verb);
    if (sentence.object) add(words, phrase(*sentence.object));
    if (sentence.place) {
      const Words preposition{lexicon_.word(kPreposition, sentence.place->first)};
      if (!grammar_.preposition_behind) add(words, preposition);
      add(words, phrase(sentence.place->second));
      if (grammar_.preposition_behind) add(words, preposition);
    }
    if (grammar_.verb == VerbPlace::kLast) add(words, verb);
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text + " .";
  }

 private:
  static void add(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

  Words phrase(const NounPhrase& phrase) const {
    Words words{lexicon_.word(kDeterminer, phrase.determiner)};
    const std::string noun = lexicon_.word(kNoun, phrase.noun) + (phrase.plural ? grammar_.plural : "");
    if (grammar_.adjective_behind) words.push_back(noun);
    if (phrase.adjective) words.push_back(lexicon_.word(kAdjective, *phrase.adjective));
    if (!grammar_.adjective_behind) words.push_back(noun);
    return words;
  }

  Grammar grammar_;
  Lexicon lexicon_;
};

}  // namespace

PairSet make_synthetic_pairs(std::uint64_t seed) {
  PairSet set;
  set.name = "synthetic_pairs";
  std::vector<Speaker> speakers;
  for (std::size_t g = 0; g < kGrammars.size(); ++g) {
    set.languages.push_back({kGrammars[g].code, kGrammars[g].label, 0});
    speakers.emplace_back(kGrammars[g], derive_seed(seed, "synthetic lexicon", g));
  }
  std::set<std::string> said;
  for (std::uint64_t number = 1; said.size() < kNumSentences; ++number) {
    SeededWords draw(derive_seed(seed, "synthetic sentence", number));
    const Sentence sentence = draw_sentence(draw);
    const std::string base = speakers[0].say(sentence);
    if (!said.insert(base).second) continue;
    for (std::size_t g = 1; g < speakers.size(); ++g)
      set.pairs.push_back({static_cast<std::int16_t>(g), "grammar", static_cast<std::int64_t>(said.size()), base,
                           speakers[g].say(sentence)});
  }
  count_pairs(set);
  return set;
}

}  // namespace moescope::corpus
