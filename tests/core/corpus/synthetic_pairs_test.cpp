#include "core/corpus/synthetic_pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace moescope::corpus {
namespace {

std::vector<std::string> words_of(const std::string& sentence) {
  std::vector<std::string> words;
  std::istringstream stream(sentence);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

TEST(SyntheticPairs, AreTheSameForTheSameSeedOnly) {
  EXPECT_EQ(identity_of(make_synthetic_pairs(7)), identity_of(make_synthetic_pairs(7)));
  EXPECT_NE(identity_of(make_synthetic_pairs(7)), identity_of(make_synthetic_pairs(8)));
}

TEST(SyntheticPairs, HaveEverySentenceInFourLanguagesAndNoneTwice) {
  PairSet set = make_synthetic_pairs(7);
  ASSERT_EQ(set.languages.size(), 5u);
  for (std::size_t l = 1; l < 5; ++l) EXPECT_EQ(set.languages[l].num_pairs, 6000);
  std::map<std::string, int> languages_of;
  for (const SentencePair& pair : set.pairs) ++languages_of[pair.first];
  for (const auto& [sentence, count] : languages_of) EXPECT_EQ(count, 4) << sentence;
  EXPECT_EQ(remove_duplicates(set.pairs), 0u);
}

/// From pairs whose words can be told: each word of the base language and its one translation.
TEST(SyntheticPairs, AreTranslatedWordByWordInAnotherOrder) {
  const PairSet set = make_synthetic_pairs(3);
  for (std::int16_t label = 1; label < 5; ++label) {
    std::map<std::string, std::string> meaning;
    std::size_t moved = 0, checked = 0;
    // The shortest sentences are determiner, noun, verb and the full stop.
    for (const SentencePair& pair : set.pairs) {
      const auto from = words_of(pair.first), to = words_of(pair.second);
      ASSERT_EQ(from.size(), to.size());
      EXPECT_EQ(to.back(), ".");
      if (pair.label != label || from.size() != 4) continue;
      ++checked;
      const bool verb_first = label == 3;
      for (std::size_t i = 0; i < 3; ++i) {
        const std::string& word = to[verb_first ? (i + 1) % 3 : i];
        EXPECT_EQ(meaning.emplace(from[i], word).first->second, word) << pair.first << " => " << pair.second;
      }
      moved += verb_first ? 1 : 0;
    }
    EXPECT_GT(checked, 100u);
    std::set<std::string> translations;
    for (const auto& [word, translation] : meaning) translations.insert(translation);
    EXPECT_EQ(translations.size(), meaning.size()) << "no word stands for two";
    EXPECT_EQ(moved > 0, label == 3);
  }
}

TEST(SyntheticPairs, OrderFollowsTheRuleOfTheLanguage) {
  // Learn the words from the short sentences, then look where they stand in longer ones.
  const PairSet set = make_synthetic_pairs(5);
  std::set<std::string> verbs_of_b;
  for (const SentencePair& pair : set.pairs)
    if (const auto words = words_of(pair.second); pair.label == 2 && words.size() == 4) verbs_of_b.insert(words[2]);
  ASSERT_GT(verbs_of_b.size(), 20u);
  std::size_t last = 0, longer = 0;
  for (const SentencePair& pair : set.pairs) {
    const auto words = words_of(pair.second);
    if (pair.label != 2 || words.size() != 8) continue;
    ++longer;
    const std::size_t behind = words.size() - 1;  // of the full stop; an adverb may stand behind the verb
    last += verbs_of_b.count(words[behind - 1]) + verbs_of_b.count(words[behind - 2]) > 0 ? 1 : 0;
  }
  EXPECT_GT(longer, 100u);
  EXPECT_EQ(last, longer) << "rule B puts the verb last";
}

}  // namespace
}  // namespace moescope::corpus
