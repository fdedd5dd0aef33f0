#include "core/corpus/synthetic.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace moescope::corpus {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string label_of(const DocumentSet& set, const Document& document) {
  return set.labels[static_cast<std::size_t>(document.label)];
}

TEST(Synthetic, IsTheSameForTheSameSeedOnly) {
  EXPECT_EQ(identity_of(make_synthetic(7)), identity_of(make_synthetic(7)));
  EXPECT_NE(identity_of(make_synthetic(7)), identity_of(make_synthetic(8)));
}

TEST(Synthetic, HasAFewMegabytesOfEightClassesAndNoDuplicates) {
  DocumentSet set = make_synthetic(7);
  EXPECT_EQ(set.labels.size(), 8u);
  EXPECT_GT(text_bytes(set), 1'000'000u);
  EXPECT_LT(text_bytes(set), 4'000'000u);
  EXPECT_EQ(remove_duplicates(set.documents), 0u);
}

TEST(Synthetic, TasksAreSolvedRightly) {
  const DocumentSet set = make_synthetic(3);
  int checked = 0;
  for (const Document& document : set.documents) {
    for (const std::string& line : lines_of(document.text)) {
      std::istringstream words(line);
      std::string verb, given, gives, answer;
      if (label_of(set, document) == "copy" || label_of(set, document) == "reverse") {
        words >> verb >> given >> gives >> answer;
        ASSERT_EQ(verb, label_of(set, document));
        if (verb == "reverse") given.assign(given.rbegin(), given.rend());
        ASSERT_EQ(answer, given);
        ++checked;
      } else if (label_of(set, document) == "arithmetic") {
        int a = 0, b = 0, result = 0;
        char sign = 0, equals = 0;
        words >> a >> sign >> b >> equals >> result;
        ASSERT_EQ(result, sign == '+' ? a + b : a - b) << line;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 10'000);
}

TEST(Synthetic, ALanguageHasItsOwnWordsAndFewSuccessors) {
  const DocumentSet set = make_synthetic(3);
  std::set<std::string> words;
  std::set<std::pair<std::string, std::string>> pairs;
  for (const Document& document : set.documents) {
    if (label_of(set, document) != "Markov A") continue;
    for (const std::string& line : lines_of(document.text)) {
      std::istringstream stream(line.substr(0, line.size() - 1));
      std::string previous;
      for (std::string word; stream >> word; previous = word) {
        words.insert(word);
        if (!previous.empty()) pairs.emplace(previous, word);
      }
    }
  }
  EXPECT_LE(words.size(), 300u);
  EXPECT_LE(pairs.size(), 6 * 300u);
  for (const std::string& word : words) EXPECT_EQ(word.find_first_not_of("bdgklmaeo"), std::string::npos) << word;
}

TEST(Synthetic, IsLettersDigitsAndAFewSigns) {
  for (const Document& document : make_synthetic(1).documents)
    ASSERT_EQ(document.text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-=. \n"), std::string::npos);
}

}  // namespace
}  // namespace moescope::corpus
