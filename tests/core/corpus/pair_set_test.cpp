#include "core/corpus/pair_set.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace moescope::corpus {
namespace {

using testing::ElementsAre;

SentencePair pair_of(std::int16_t label, const std::string& first, const std::string& second) {
  return {label, "program", 0, first, second};
}

PairSet three_languages() {
  PairSet set;
  set.name = "catalogs";
  set.languages = {{"en", "English", 0}, {"fr", "Français", 3}, {"de", "Deutsch", 2}, {"sv", "Svenska", 1}};
  set.pairs = {pair_of(1, "one", "un"), pair_of(2, "one", "eins"), pair_of(3, "one", "ett"), pair_of(1, "two", "deux")};
  return set;
}

std::string failure_of(const std::string& wanted) {
  const auto chosen = choose_languages(wanted, three_languages().languages, "catalogs");
  return chosen ? "no failure" : format(chosen.error());
}

TEST(PairSet, SentencesThatDifferInCaseAndSignsHaveOneKey) {
  EXPECT_EQ(sentence_key("Cannot open file '%s'."), sentence_key("cannot open file %s"));
  EXPECT_NE(sentence_key("cannot open file 1"), sentence_key("cannot open file 2"));
  EXPECT_NE(sentence_key("größer"), sentence_key("größe"));
  EXPECT_NE(sentence_key("?"), sentence_key("!")) << "without a letter the signs are the sentence";
}

TEST(PairSet, EverySentenceStaysOncePerLanguage) {
  std::vector<SentencePair> pairs{pair_of(1, "open", "ouvrir"),    pair_of(1, "open ", "ouvrir"),
                                  pair_of(1, "open", "ouverture"), pair_of(1, "do open", "ouvrir"),
                                  pair_of(2, "open", "ouvrir"),    pair_of(1, "ouvrir", "open")};
  EXPECT_EQ(remove_duplicates(pairs), 3u);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].second, "ouvrir");
  EXPECT_EQ(pairs[1].label, 2);
  EXPECT_EQ(pairs[2].first, "ouvrir") << "the same word on the other side is no repetition";
  EXPECT_EQ(repeated_pairs_note(1), "1 sentence pair left out that repeats a sentence of another");
  EXPECT_EQ(repeated_pairs_note(1200), "1,200 sentence pairs left out that repeat a sentence of another");
}

TEST(PairSet, IdentityFollowsTextsAndLanguagesNotTheirOrder) {
  const PairSet set = three_languages();
  PairSet other = set;
  std::reverse(other.pairs.begin(), other.pairs.end());
  EXPECT_EQ(identity_of(other), identity_of(set));
  other.pairs[0].second += '!';
  EXPECT_NE(identity_of(other), identity_of(set));
  other = set;
  other.languages[1].code = "oc";
  EXPECT_NE(identity_of(other), identity_of(set));
  other = set;
  other.source = "git_2";
  EXPECT_NE(identity_of(other), identity_of(set));
}

TEST(PairSet, LanguagesAreChosenByCode) {
  const auto languages = three_languages().languages;
  EXPECT_THAT(*choose_languages("auto", languages, "c"), ElementsAre(1, 2, 3));
  EXPECT_THAT(*choose_languages(" sv,fr", languages, "c"), ElementsAre(1, 3));
  std::vector<PairLanguage> many{{"en", "English", 0}};
  for (int i = 0; i < 9; ++i) many.push_back({"l" + std::to_string(i), "", 100 - i});
  EXPECT_THAT(*choose_languages("auto", many, "c"), ElementsAre(1, 2, 3, 4, 5));
}

TEST(PairSet, WrongLanguagesAreMessages) {
  EXPECT_EQ(failure_of(""), "error: 'languages' is \"\", allowed is auto or codes like \"fr,de\"\n");
  EXPECT_EQ(failure_of("fr,,de"), "error: 'languages' is \"fr,,de\", allowed is auto or codes like \"fr,de\"\n");
  EXPECT_EQ(failure_of("fr,fr"), "error: 'languages' names 'fr' twice\n");
  EXPECT_EQ(failure_of("fr,klingon"),
            "error: the corpus 'catalogs' has no language 'klingon'\nhint: languages are auto, fr, de or sv\n");
  EXPECT_EQ(failure_of("en"),
            "error: the corpus 'catalogs' has no language 'en'\n"
            "hint: languages are auto, fr, de or sv\n");
}

TEST(PairSet, WithSomeLanguagesKeepsTheirPairsOnly) {
  const PairSet set = with_languages(three_languages(), {1, 3});
  ASSERT_EQ(set.languages.size(), 3u);
  EXPECT_EQ(set.languages[2].code, "sv");
  ASSERT_EQ(set.pairs.size(), 3u);
  EXPECT_EQ(set.pairs[1].second, "ett");
  EXPECT_EQ(set.pairs[1].label, 2);
}

}  // namespace
}  // namespace moescope::corpus
