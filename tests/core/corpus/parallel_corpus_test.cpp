// Corpora of sentence pairs, from the request to the splits.

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <tuple>

#include "core/corpus/corpus.h"
#include "core/corpus/pair_set.h"
#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class ParallelCorpusTest : public FolderTest {
 protected:
  std::shared_ptr<const Corpus> prepared(const CorpusRequest& wanted) const {
    auto corpus = prepare_corpus(wanted, {});
    EXPECT_TRUE(corpus.has_value()) << message(corpus.error());
    return corpus ? *corpus : std::make_shared<const Corpus>();
  }
  CorpusRequest bpe(int vocab_size = 600) const {
    CorpusRequest wanted = request("synthetic_pairs");
    wanted.data.tokenizer = "bpe";
    wanted.data.vocab_size = vocab_size;
    return wanted;
  }
  CorpusRequest aligned(const std::string& source, const std::string& target) const {
    CorpusRequest wanted = request("manuals");
    wanted.data.source = path(source);
    wanted.data.target = path(target);
    return wanted;
  }
};

struct TextPair {
  std::string source, target;
  std::int16_t label;
  std::string name;
  bool operator<(const TextPair& other) const {
    return std::tie(source, target, label, name) < std::tie(other.source, other.target, other.label, other.name);
  }
};

std::string decoded(const Corpus& corpus, const std::vector<std::int32_t>& tokens,
                    const std::vector<std::int64_t>& begin_P, std::size_t p) {
  return corpus.tokenizer->decode({tokens.begin() + begin_P[p], tokens.begin() + begin_P[p + 1]});
}

std::set<TextPair> texts_of(const Corpus& corpus, const PairSplit& split) {
  std::set<TextPair> texts;
  for (std::size_t p = 0; p < split.label_P.size(); ++p)
    texts.insert({decoded(corpus, split.source_tokens, split.source_begin_P, p),
                  decoded(corpus, split.target_tokens, split.target_begin_P, p), split.label_P[p], split.name_P[p]});
  return texts;
}

std::vector<const PairSplit*> splits_of(const Corpus& corpus) {
  return {&corpus.train_pairs, &corpus.valid_pairs, &corpus.probe_pairs};
}

void expect_same(const PairSplit& a, const PairSplit& b) {
  EXPECT_EQ(a.source_tokens, b.source_tokens);
  EXPECT_EQ(a.target_tokens, b.target_tokens);
  EXPECT_EQ(a.source_begin_P, b.source_begin_P);
  EXPECT_EQ(a.target_begin_P, b.target_begin_P);
  EXPECT_EQ(a.label_P, b.label_P);
  EXPECT_EQ(a.name_P, b.name_P);
  EXPECT_EQ(a.target_text_P, b.target_text_P);
}

TEST_F(ParallelCorpusTest, SyntheticPairsAreWholeAndLabelled) {
  const auto corpus = prepared(request("synthetic_pairs"));
  EXPECT_TRUE(corpus->parallel());
  EXPECT_EQ(corpus->name, "synthetic_pairs");
  EXPECT_THAT(corpus->labels, ElementsAre("base", "rule A", "rule B", "rule C", "rule D"));
  EXPECT_THAT(corpus->notes, IsEmpty());
  EXPECT_THAT(corpus->classes, IsEmpty());
  std::size_t pairs = 0;
  for (const PairSplit* split : splits_of(*corpus)) {
    const std::size_t P = split->label_P.size();
    pairs += P;
    ASSERT_EQ(split->source_begin_P.size(), P + 1);
    ASSERT_EQ(split->target_begin_P.size(), P + 1);
    ASSERT_EQ(split->name_P.size(), P);
    EXPECT_EQ(split->source_begin_P.back(), static_cast<std::int64_t>(split->source_tokens.size()));
    EXPECT_EQ(split->target_begin_P.back(), static_cast<std::int64_t>(split->target_tokens.size()));
    const std::set<std::int16_t> labels(split->label_P.begin(), split->label_P.end());
    EXPECT_THAT(labels, ElementsAre(1, 2, 3, 4));
  }
  EXPECT_EQ(pairs, 24'000u);
  EXPECT_THAT(corpus->train_pairs.target_text_P, IsEmpty()) << "only what is compared keeps its text";
  for (const PairSplit* split : {&corpus->valid_pairs, &corpus->probe_pairs}) {
    ASSERT_EQ(split->target_text_P.size(), split->label_P.size());
    for (std::size_t p = 0; p < split->label_P.size(); ++p) {
      EXPECT_EQ(decoded(*corpus, split->source_tokens, split->source_begin_P, p), split->source_text_P[p]);
      EXPECT_EQ(decoded(*corpus, split->target_tokens, split->target_begin_P, p), split->target_text_P[p]);
    }
  }
}

TEST_F(ParallelCorpusTest, NoSentenceIsOnTwoSides) {
  const auto corpus = prepared(request("synthetic_pairs"));
  std::map<std::uint64_t, std::set<int>> parts_of_base, parts_of_other;
  int part = 0;
  for (const PairSplit* split : splits_of(*corpus)) {
    for (const TextPair& pair : texts_of(*corpus, *split)) {
      parts_of_base[sentence_key(pair.target)].insert(part);
      parts_of_other[sentence_key(pair.source)].insert(part);
    }
    ++part;
  }
  for (const auto& [key, parts] : parts_of_base) EXPECT_EQ(parts.size(), 1u);
  for (const auto& [key, parts] : parts_of_other) EXPECT_EQ(parts.size(), 1u);
}

TEST_F(ParallelCorpusTest, DirectionSwapsTheSides) {
  CorpusRequest wanted = request("synthetic_pairs");
  const auto into = prepared(wanted);
  wanted.data.direction = "from_english";
  const auto from = prepared(wanted);
  EXPECT_EQ(into->valid_pairs.source_tokens, from->valid_pairs.target_tokens);
  EXPECT_EQ(into->valid_pairs.target_text_P, from->valid_pairs.source_text_P);
  EXPECT_EQ(into->valid_pairs.label_P, from->valid_pairs.label_P) << "the label is the other language either way";
  EXPECT_NE(into->identity, from->identity);
}

TEST_F(ParallelCorpusTest, SpecialSymbolsLieAboveTheVocabulary) {
  CorpusRequest wanted = request("synthetic_pairs");
  wanted.data.languages = "a,c";
  wanted.data.direction = "from_english";
  const auto from = prepared(wanted);
  EXPECT_EQ(from->tokenizer->vocab_size(), 256);
  EXPECT_EQ(from->special.bos, 256);
  EXPECT_EQ(from->special.eos, 257);
  EXPECT_EQ(from->special.pad, 258);
  EXPECT_EQ(from->special.mask, 259);
  EXPECT_THAT(from->special.tag_of_label, ElementsAre(260, 261, 262));
  EXPECT_EQ(from->vocab_size(), 263);
  wanted.data.direction = "to_english";
  EXPECT_THAT(prepared(wanted)->special.tag_of_label, ElementsAre(260, 260, 260)) << "all into the base language";
}

TEST_F(ParallelCorpusTest, FewerLanguagesMoveNoSentence) {
  CorpusRequest wanted = request("synthetic_pairs");
  const auto all = prepared(wanted);
  wanted.data.languages = "b";
  const auto one = prepared(wanted);
  EXPECT_THAT(one->labels, ElementsAre("base", "rule B"));
  for (const auto part : {&Corpus::train_pairs, &Corpus::valid_pairs, &Corpus::probe_pairs}) {
    std::set<std::string> of_all, of_one;
    for (const TextPair& pair : texts_of(*all, (*all).*part)) of_all.insert(pair.target);
    for (const TextPair& pair : texts_of(*one, (*one).*part)) of_one.insert(pair.target);
    EXPECT_EQ(of_one, of_all);
  }
  wanted.data.languages = "a,e";
  EXPECT_EQ(failure_of(wanted),
            "error: the corpus 'synthetic_pairs' has no language 'e'\nhint: languages are auto, a, b, c or d\n");
}

TEST_F(ParallelCorpusTest, BothSidesAreRunningTextToo) {
  const auto corpus = prepared(request("synthetic_pairs"));
  const auto check = [&](const Split& split, const PairSplit& pairs) {
    std::multiset<std::string> expected, found;
    std::set<std::string> bases;
    for (const TextPair& pair : texts_of(*corpus, pairs)) {
      expected.insert(std::to_string(pair.label) + pair.source);
      bases.insert(pair.target);
    }
    for (const std::string& base : bases) expected.insert('0' + base);
    ASSERT_EQ(split.label_D.size(), split.name_D.size());
    ASSERT_EQ(split.begin_D.size(), split.name_D.size() + 1);
    for (std::size_t d = 0; d < split.name_D.size(); ++d) {
      std::istringstream lines(decoded(*corpus, split.tokens, split.begin_D, d));
      for (std::string line; std::getline(lines, line);) found.insert(std::to_string(split.label_D[d]) + line);
    }
    EXPECT_EQ(found, expected);
  };
  check(corpus->train, corpus->train_pairs);
  check(corpus->valid, corpus->valid_pairs);
  check(corpus->probe, corpus->probe_pairs);
  EXPECT_GT(corpus->unigram_entropy_bits, 3);
}

TEST_F(ParallelCorpusTest, IsTheSameEachTimeAndFromTheCache) {
  const auto first = prepared(bpe());
  const auto cached = prepared(bpe());
  std::filesystem::remove_all(path("cache"));
  const auto anew = prepared(bpe());
  for (const auto& again : {cached, anew}) {
    EXPECT_EQ(again->identity, first->identity);
    EXPECT_EQ(again->train.tokens, first->train.tokens);
    expect_same(again->train_pairs, first->train_pairs);
    expect_same(again->valid_pairs, first->valid_pairs);
    expect_same(again->probe_pairs, first->probe_pairs);
  }
  CorpusRequest wanted = bpe();
  wanted.seed = 8;
  EXPECT_NE(prepared(wanted)->identity, first->identity);
}

TEST_F(ParallelCorpusTest, OneTokenizerServesBothSides) {
  const auto corpus = prepared(bpe());
  std::set<std::int32_t> in_source(corpus->train_pairs.source_tokens.begin(), corpus->train_pairs.source_tokens.end());
  std::set<std::int32_t> in_target(corpus->train_pairs.target_tokens.begin(), corpus->train_pairs.target_tokens.end());
  const auto bytes = [&](const PairSplit& split) { return split.source_tokens.size() + split.target_tokens.size(); };
  EXPECT_LT(bytes(corpus->train_pairs), bytes(prepared(request("synthetic_pairs"))->train_pairs) / 2);
  EXPECT_GT(in_source.size(), 200u);
  EXPECT_GT(in_target.size(), 50u);
}

std::string numbered(const std::string& words, int first, int count) {
  std::string text;
  for (int i = first; i < first + count; ++i) text += words + ' ' + std::to_string(i) + '\n';
  return text;
}

TEST_F(ParallelCorpusTest, AlignedFilesAreACorpus) {
  write("train.de", numbered("der Satz", 0, 400) + "\nnoch einer\n" + numbered("der Satz", 0, 3));
  write("train.en", numbered("the sentence", 0, 400) + "blank\n\n" + numbered("the sentence", 0, 3));
  CorpusRequest wanted = aligned("train.de", "train.en");
  const auto corpus = prepared(wanted);
  EXPECT_EQ(corpus->name, "train.de, train.en");
  EXPECT_THAT(corpus->labels, ElementsAre("de", "en"));
  EXPECT_THAT(corpus->notes, ElementsAre("2 lines left out that are blank on one side or both",
                                         "3 sentence pairs left out that repeat a sentence of another"));
  EXPECT_THAT(corpus->special.tag_of_label, ElementsAre(260, 261));
  std::set<TextPair> all;
  for (const PairSplit* split : splits_of(*corpus)) all.merge(texts_of(*corpus, *split));
  ASSERT_EQ(all.size(), 400u);
  EXPECT_THAT(all, Contains(testing::Field(&TextPair::name, "train:400")));
  for (const TextPair& pair : all) {
    EXPECT_EQ(pair.source.substr(0, 9), "der Satz ");
    EXPECT_EQ(pair.source.substr(9), pair.target.substr(13));
  }
  wanted.data.direction = "from_english";
  EXPECT_EQ(prepared(wanted)->identity, corpus->identity) << "source is source, whatever the direction";
}

TEST_F(ParallelCorpusTest, TheSmallestFilesThatSufficeAreTaken) {
  write("a.en", numbered("the sentence", 0, 12));
  write("a.de", numbered("der Satz", 0, 12));
  const auto corpus = prepared(aligned("a.en", "a.de"));
  for (const PairSplit* split : splits_of(*corpus)) EXPECT_GE(split->label_P.size(), 1u);
  for (const Split* split : {&corpus->train, &corpus->valid, &corpus->probe}) EXPECT_GE(split->tokens.size(), 33u);
}

TEST_F(ParallelCorpusTest, WrongRequestsAreMessages) {
  write("a.en", "one\ntwo\n");
  write("a.de", "eins\nzwei\n");
  EXPECT_EQ(failure_of(aligned("a.en", "a.de")),
            "error: the corpus 'a.en, a.de' is too small: it has 18 tokens in 2 sentence pairs, and training, "
            "validation and probe need 33 tokens each (99 in all)\n"
            "hint: take a longer text, or a smaller model.context (now 32)\n");
  CorpusRequest wanted = aligned("a.en", "a.de");
  wanted.data.corpus = "catalogs";
  EXPECT_EQ(failure_of(wanted),
            "error: 'corpus' is \"catalogs\", but 'source' and 'target' name the texts too\n"
            "hint: remove corpus, or source and target\n");
  wanted = aligned("a.en", "a.de");
  wanted.data.target.clear();
  EXPECT_EQ(failure_of(wanted),
            "error: 'source' is set, but 'target' is not\n"
            "hint: aligned files are two: name both data.source and data.target\n");
  wanted = aligned("a.en", "a.de");
  wanted.data.source.clear();
  EXPECT_EQ(failure_of(wanted),
            "error: 'target' is set, but 'source' is not\n"
            "hint: aligned files are two: name both data.source and data.target\n");
}

TEST_F(ParallelCorpusTest, StopsWhenTold) {
  for (const std::string& when : {std::string("making synthetic sentences"), std::string("cutting text into tokens")}) {
    std::stop_source source;
    const auto corpus = prepare_corpus(
        request("synthetic_pairs"),
        [&](const std::string& activity, double) {
          if (activity == when) source.request_stop();
        },
        source.get_token());
    ASSERT_FALSE(corpus.has_value());
    EXPECT_EQ(message(corpus.error()),
              "error: the preparation of the corpus was stopped\nhint: start again to continue\n");
  }
}

}  // namespace
}  // namespace moescope::corpus
