#pragma once
// Sentence pairs before they become tokens, and what is done to all of them alike: duplicates, identity, languages.
// Threads: plain values and pure functions.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace moescope::corpus {

struct SentencePair {
  std::int16_t label = 1;     ///< index into PairSet::languages: that of `second`
  std::string name;           ///< the program, or the file
  std::int64_t line = 0;      ///< in its file, counting from 1; 0: none
  std::string first, second;  ///< English and another language; of aligned files source and target
};

struct PairLanguage {
  std::string code;            ///< "fr"
  std::string label;           ///< "Français"
  std::int64_t num_pairs = 0;  ///< 0 for the language of the first sentences
};

struct PairSet {
  std::string name;
  std::string source;                   ///< what it was made from beyond its text; part of the identity
  std::vector<PairLanguage> languages;  ///< [0] is that of all first sentences
  std::vector<SentencePair> pairs;
  std::vector<std::string> notes;
};

/// Hash of the letters and digits of a sentence, whatever the case: what must differ for two sentences to be on two
/// sides of a split. "Cannot open file." is "cannot open file" again.
std::uint64_t sentence_key(std::string_view sentence);

/// Keeps of each language one pair for each first and for each second sentence, so that no sentence is ever on two
/// sides of a split, in either direction. Returns how many went.
std::size_t remove_duplicates(std::vector<SentencePair>& pairs);

/// "12 sentence pairs left out that repeat a sentence of another"
std::string repeated_pairs_note(std::size_t count);

/// Sets PairLanguage::num_pairs.
void count_pairs(PairSet& set);

/// Hash over languages, texts and source, whatever the order of the pairs, hex.
std::string identity_of(const PairSet& set);

/// Indices of the languages that `wanted` names: "auto" the five with most pairs, else codes with commas between; in
/// the order of `languages`. Requires: `languages` in order of falling num_pairs, behind languages[0].
Result<std::vector<std::size_t>> choose_languages(const std::string& wanted, const std::vector<PairLanguage>& languages,
                                                  const std::string& corpus);

/// `set` with the languages of these indices only.
PairSet with_languages(PairSet set, const std::vector<std::size_t>& chosen);

}  // namespace moescope::corpus
