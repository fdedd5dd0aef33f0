#include "core/analysis/bleu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace moescope::analysis {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

struct Corpus {
  Words hypotheses, references;
};

/// What sacreBLEU gave, as bleu_reference.py wrote it. Another file of that form may be named in the environment.
std::vector<Json> reference_lines() {
  const char* elsewhere = std::getenv("MOESCOPE_BLEU_REFERENCE");
  std::ifstream file(elsewhere != nullptr ? elsewhere
                                          : MOESCOPE_SOURCE_DIR "/tests/core/analysis/bleu_reference.jsonl");
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

TEST(BleuReference, EveryFigureOfSacreBleuIsMet) {
  std::map<std::string, Corpus> corpora;
  int figures = 0;
  for (const Json& line : reference_lines()) {
    if (line.contains("hypothesis")) {
      for (const std::string& name : {line["corpus"].get<std::string>(), std::string("all")}) {
        corpora[name].hypotheses.push_back(line["hypothesis"]);
        corpora[name].references.push_back(line["reference"]);
      }
    }
    if (!line.contains("score")) continue;
    ++figures;
    SCOPED_TRACE(line["corpus"].get<std::string>());
    const Corpus& corpus = corpora[line["corpus"]];
    const Bleu bleu = corpus_bleu(corpus.hypotheses, corpus.references);
    EXPECT_NEAR(bleu.score, line["score"].get<double>(), 1e-9);
    EXPECT_NEAR(bleu.brevity_penalty, line["brevity_penalty"].get<double>(), 1e-12);
    EXPECT_EQ(bleu.counts.hypothesis_length, line["hypothesis_length"].get<std::int64_t>());
    EXPECT_EQ(bleu.counts.reference_length, line["reference_length"].get<std::int64_t>());
    for (std::size_t n = 0; n < kBleuOrder; ++n) {
      EXPECT_EQ(bleu.counts.matched[n], line["matched"][n].get<std::int64_t>()) << "order " << n + 1;
      EXPECT_EQ(bleu.counts.total[n], line["total"][n].get<std::int64_t>()) << "order " << n + 1;
      EXPECT_NEAR(bleu.precision[n], line["precision"][n].get<double>(), 1e-9) << "order " << n + 1;
    }
  }
  EXPECT_GT(figures, 0);
}

TEST(BleuReference, HoldsTwoHundredPairsInFourLanguages) {
  if (std::getenv("MOESCOPE_BLEU_REFERENCE") != nullptr) GTEST_SKIP() << "another reference is named";
  std::map<std::string, int> pairs;
  for (const Json& line : reference_lines()) {
    if (line.contains("hypothesis")) ++pairs[line["corpus"]];
  }
  int total = 0;
  for (const char* language : {"de", "fr", "es", "ru"}) {
    EXPECT_GE(pairs[language], 50) << language;
    total += pairs[language];
  }
  EXPECT_GE(total, 200);
}

TEST(BleuReference, EveryTokenOfSacreBleuIsMet) {
  int sentences = 0;
  for (const Json& line : reference_lines()) {
    if (!line.contains("tokens")) continue;
    ++sentences;
    EXPECT_EQ(bleu_tokens(line["sentence"].get<std::string>()), line["tokens"].get<Words>()) << line["sentence"];
  }
  EXPECT_GE(sentences, 100);
}

TEST(BleuTokens, StopsAndCommasStayInsideNumbersOnly) {
  EXPECT_EQ(bleu_tokens("It cost 1,250.50, not 3."), (Words{"It", "cost", "1,250.50", ",", "not", "3", "."}));
  EXPECT_EQ(bleu_tokens("a.b .5 5.x"), (Words{"a", ".", "b", ".", "5", "5", ".", "x"}));
}

TEST(BleuTokens, AHyphenIsSplitAfterADigitOnly) {
  EXPECT_EQ(bleu_tokens("a 20-euro e-mail, pages 3-4"),
            (Words{"a", "20", "-", "euro", "e-mail", ",", "pages", "3", "-", "4"}));
}

TEST(BleuTokens, AsciiSymbolsStandAloneButTheApostrophe) {
  EXPECT_EQ(bleu_tokens("don't (stop)! a/b@c"), (Words{"don't", "(", "stop", ")", "!", "a", "/", "b", "@", "c"}));
}

TEST(BleuTokens, OtherPunctuationStaysWithItsWord) {
  EXPECT_EQ(bleu_tokens("„Nein“, sagte er …"), (Words{"„Nein“", ",", "sagte", "er", "…"}));
}

TEST(BleuTokens, EntitiesAreDecodedInOrder) {
  EXPECT_EQ(bleu_tokens("&quot;x&quot; &amp;lt; &apos;"), (Words{"\"", "x", "\"", "<", "&", "apos", ";"}));
}

TEST(BleuTokens, UnicodeWhiteSpaceSeparates) {
  EXPECT_EQ(bleu_tokens("a\u00a0b\u202fc\u3000d\u2003e\u0085f"), (Words{"a", "b", "c", "d", "e", "f"}));
  EXPECT_EQ(bleu_tokens("a\u200bb"), Words{"a\u200bb"}) << "a zero width space is none";
}

TEST(BleuTokens, AWordBrokenAtALineEndIsJoined) {
  EXPECT_EQ(bleu_tokens("bro-\nken line\nend-\n"), (Words{"broken", "line", "end-"}));
}

TEST(BleuTokens, NothingGivesNothing) {
  EXPECT_TRUE(bleu_tokens("").empty());
  EXPECT_TRUE(bleu_tokens(" \u00a0\n").empty());
  EXPECT_TRUE(bleu_tokens("<skipped>").empty());
}

TEST(BleuTokens, BrokenUtf8IsKeptAsItIs) { EXPECT_EQ(bleu_tokens("a\xE2\x80 b\xC3"), (Words{"a\xE2\x80", "b\xC3"})); }

TEST(CorpusBleu, NoPairsIsNotANumber) {
  EXPECT_TRUE(std::isnan(corpus_bleu({}, {}).score));
  EXPECT_EQ(corpus_bleu({}, {}).counts.num_pairs, 0);
}

TEST(CorpusBleu, CountsOfPartsAddUp) {
  const Words hypotheses = {"the cat sat on the mat", "a dog ran off"};
  const Words references = {"the cat is on the mat", "the dog ran off today"};
  BleuCounts first, second;
  first.add_pair(hypotheses[0], references[0]);
  second.add_pair(hypotheses[1], references[1]);
  first.add(second);
  const Bleu whole = corpus_bleu(hypotheses, references);
  EXPECT_EQ(bleu_of(first).score, whole.score);
  EXPECT_EQ(first.num_pairs, 2);
  EXPECT_EQ(first.total, whole.counts.total);
}

TEST(CorpusBleu, DoesNotDependOnTheOrderOfPairs) {
  const Words hypotheses = {"one two three four", "five six seven nine ten"};
  const Words references = {"one two three four five", "five six seven eight nine"};
  const Words hypotheses_swapped = {hypotheses[1], hypotheses[0]};
  const Words references_swapped = {references[1], references[0]};
  EXPECT_EQ(corpus_bleu(hypotheses, references).score, corpus_bleu(hypotheses_swapped, references_swapped).score);
}

TEST(BleuSignature, NamesTheSettingsAndUs) {
  EXPECT_EQ(bleu_signature().rfind("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:MoEScope-", 0), 0u);
  EXPECT_NE(bleu_signature().back(), '-');
}

}  // namespace
}  // namespace moescope::analysis
