#include "core/corpus/corpus.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CorpusTest : public FolderTest {
 protected:
  std::shared_ptr<const Corpus> prepared(const CorpusRequest& wanted) const {
    auto corpus = prepare_corpus(wanted, {});
    EXPECT_TRUE(corpus.has_value()) << message(corpus.error());
    return corpus ? *corpus : std::make_shared<const Corpus>();
  }
  CorpusRequest bpe(const std::string& corpus, int vocab_size = 400) const {
    CorpusRequest wanted = request(corpus);
    wanted.data.tokenizer = "bpe";
    wanted.data.vocab_size = vocab_size;
    return wanted;
  }
};

std::set<std::string> texts_of(const Corpus& corpus, const Split& split) {
  std::set<std::string> texts;
  for (std::size_t d = 0; d < split.name_D.size(); ++d)
    texts.insert(corpus.tokenizer->decode(
        {split.tokens.begin() + split.begin_D[d], split.tokens.begin() + split.begin_D[d + 1]}));
  return texts;
}

void expect_whole(const Split& split, std::size_t num_labels) {
  ASSERT_EQ(split.begin_D.size(), split.name_D.size() + 1);
  ASSERT_EQ(split.label_D.size(), split.name_D.size());
  EXPECT_EQ(split.begin_D.front(), 0);
  EXPECT_EQ(split.begin_D.back(), static_cast<std::int64_t>(split.tokens.size()));
  for (std::size_t d = 0; d < split.name_D.size(); ++d) EXPECT_LT(split.begin_D[d], split.begin_D[d + 1]);
  for (const std::int16_t label : split.label_D) EXPECT_LT(static_cast<std::size_t>(label), num_labels);
}

TEST_F(CorpusTest, SyntheticIsWholeAndLabelled) {
  const auto corpus = prepared(request("synthetic"));
  EXPECT_EQ(corpus->name, "synthetic");
  EXPECT_EQ(corpus->labels.size(), 8u);
  EXPECT_EQ(corpus->identity.size(), 32u);
  EXPECT_THAT(corpus->notes, IsEmpty());
  for (const Split* split : {&corpus->train, &corpus->valid, &corpus->probe}) expect_whole(*split, 8);
  const std::set<std::int16_t> probed(corpus->probe.label_D.begin(), corpus->probe.label_D.end());
  EXPECT_EQ(probed.size(), 8u);
  EXPECT_GT(corpus->unigram_entropy_bits, 4);
  EXPECT_LT(corpus->unigram_entropy_bits, 8);
}

TEST_F(CorpusTest, APlainCorpusHasSpecialSymbolsButNoPairsOrClasses) {
  const auto corpus = prepared(request("synthetic"));
  EXPECT_FALSE(corpus->parallel());
  EXPECT_THAT(corpus->train.class_D, IsEmpty());
  EXPECT_THAT(corpus->classes, IsEmpty());
  EXPECT_THAT(corpus->special.tag_of_label, IsEmpty());
  const std::set<int> ids{corpus->special.bos, corpus->special.eos, corpus->special.pad, corpus->special.mask};
  EXPECT_THAT(ids, ElementsAre(256, 257, 258, 259));
  EXPECT_EQ(corpus->vocab_size(), 260);
  EXPECT_EQ(corpus->tokenizer->vocab_size(), 256);
}

/// What these runs were trained on stays what it was.
TEST_F(CorpusTest, IdentitiesOfPlainCorporaStay) {
  EXPECT_EQ(prepared(request("synthetic"))->identity, "256c8a287e6c6608f8386ae6ee08444c");
}

TEST_F(CorpusTest, IdentityFollowsSeedTextAndTokenizer) {
  CorpusRequest wanted = request("synthetic");
  const std::string identity = prepared(wanted)->identity;
  EXPECT_EQ(prepared(wanted)->identity, identity);
  wanted.context = 64;
  EXPECT_EQ(prepared(wanted)->identity, identity) << "the context is no part of the corpus";
  wanted.seed = 8;
  EXPECT_NE(prepared(wanted)->identity, identity);
  write("a.txt", passages_of_text(0, 200));
  const std::string of_text = prepared(request(path("a.txt")))->identity;
  EXPECT_NE(prepared(bpe(path("a.txt")))->identity, of_text);
  write("a.txt", passages_of_text(0, 200) + "One more passage that was not there before.\n");
  EXPECT_NE(prepared(request(path("a.txt")))->identity, of_text);
}

TEST_F(CorpusTest, DuplicatesAreCountedAndNoTextIsOnTwoSides) {
  write("t/a/one.txt", passages_of_text(0, 200));
  write("t/b/again.txt", passages_of_text(0, 200));
  write("t/b/new.txt", passages_of_text(200, 200));
  const auto corpus = prepared(request(path("t")));
  ASSERT_EQ(corpus->notes.size(), 1u);
  EXPECT_TRUE(testing::Value(corpus->notes[0], testing::HasSubstr(" duplicates left out"))) << corpus->notes[0];
  const auto train = texts_of(*corpus, corpus->train), valid = texts_of(*corpus, corpus->valid),
             probe = texts_of(*corpus, corpus->probe);
  std::set<std::string> all = train;
  all.insert(valid.begin(), valid.end());
  all.insert(probe.begin(), probe.end());
  EXPECT_EQ(all.size(), train.size() + valid.size() + probe.size());
}

/// JSON Lines of short documents that differ.
std::string json_lines(int first, int count) {
  std::string text;
  for (int i = first; i < first + count; ++i) text += "{\"text\":\"document " + std::to_string(i) + " of its file\"}\n";
  return text;
}

TEST_F(CorpusTest, AFileMoreMovesNoDocument) {
  write("t/a.jsonl", json_lines(0, 600));
  write("t/b.jsonl", json_lines(1000, 600));
  const auto before = prepared(request(path("t")));
  write("t/b.jsonl", json_lines(900, 1000));
  write("t/0.jsonl", json_lines(5000, 300));
  const auto after = prepared(request(path("t")));
  for (const auto part : {&Corpus::train, &Corpus::valid, &Corpus::probe}) {
    const auto now = texts_of(*after, (*after).*part);
    for (const std::string& text : texts_of(*before, (*before).*part)) EXPECT_EQ(now.count(text), 1u);
  }
}

TEST_F(CorpusTest, TheSmallestTextThatSufficesIsTaken) {
  write("a.txt", passages_of_text(0, 14));
  CorpusRequest wanted = request(path("a.txt"));
  wanted.context = 300;
  const auto corpus = prepared(wanted);
  for (const Split* split : {&corpus->train, &corpus->valid, &corpus->probe}) EXPECT_GE(split->tokens.size(), 301u);
}

TEST_F(CorpusTest, TooLittleTextNamesWhatItHasAndNeeds) {
  write("one", "x");
  EXPECT_EQ(failure_of(request(path("one"))),
            "error: the corpus 'one' is too small: it has 1 byte in 1 document, and training, validation and probe "
            "need 33 tokens each (99 in all)\n"
            "hint: take a longer text, or a smaller model.context (now 32)\n");
  EXPECT_EQ(failure_of(bpe(path("one"))), failure_of(request(path("one"))));
  write("lump", std::string(500, 'x'));
  EXPECT_EQ(failure_of(request(path("lump"))),
            "error: the corpus 'lump' is too small: it has 500 tokens in 1 document, and training, validation and "
            "probe need 33 tokens each (99 in all)\n"
            "hint: take a longer text, or a smaller model.context (now 32)\n");
}

TEST_F(CorpusTest, AnUnknownNameGetsTheNearest) {
  EXPECT_EQ(failure_of(request("manual")),
            "error: there is no corpus, file or folder 'manual'\nhint: did you mean 'manuals'?\n");
  EXPECT_EQ(
      failure_of(request("no/such/place")),
      "error: there is no corpus, file or folder 'no/such/place'\n"
      "hint: built-in corpora are manuals, catalogs, synthetic or synthetic_pairs; anything else is the path of a "
      "file or folder\n");
}

TEST_F(CorpusTest, UnigramEntropyIsThatOfTheTrainingTokens) {
  write("a.txt", passages_of_text(0, 300));
  const auto corpus = prepared(request(path("a.txt")));
  std::map<std::int32_t, double> count;
  for (const std::int32_t id : corpus->train.tokens) ++count[id];
  double bits = 0;
  const auto total = static_cast<double>(corpus->train.tokens.size());
  for (const auto& [id, number] : count) bits += number / total * std::log2(total / number);
  EXPECT_NEAR(corpus->unigram_entropy_bits, bits, 1e-9);
}

TEST_F(CorpusTest, TheTokenizerIsKeptAndTrainedAgainWhenDamaged) {
  write("a.txt", passages_of_text(0, 300));
  const auto first = prepared(bpe(path("a.txt")));
  std::filesystem::path model;
  for (const auto& entry : std::filesystem::directory_iterator(path("cache/corpora"))) model = entry.path();
  ASSERT_EQ(model.extension(), ".model");
  const auto made = std::filesystem::last_write_time(model);
  EXPECT_EQ(prepared(bpe(path("a.txt")))->identity, first->identity);
  EXPECT_EQ(std::filesystem::last_write_time(model), made);
  std::filesystem::resize_file(model, 1000);
  const auto again = prepared(bpe(path("a.txt")));
  EXPECT_EQ(again->identity, first->identity);
  EXPECT_THAT(again->notes, ElementsAre("a damaged tokenizer was trained again"));
  EXPECT_THAT(prepared(bpe(path("a.txt")))->notes, IsEmpty());
}

TEST_F(CorpusTest, AVocabularyLargerThanTheTextHasPiecesIsANote) {
  write("a.txt", passages_of_text(0, 30));
  const auto corpus = prepared(bpe(path("a.txt"), 4096));
  EXPECT_THAT(corpus->notes, ElementsAre("the text has only " + std::to_string(corpus->tokenizer->vocab_size()) +
                                         " pieces to learn; vocab_size asked for 4,096"));
}

TEST_F(CorpusTest, ACacheThatCannotBeWrittenIsNoFailure) {
  write("cache", "a file in the way");
  write("a.txt", passages_of_text(0, 300));
  const auto corpus = prepared(bpe(path("a.txt")));
  EXPECT_THAT(corpus->notes, ElementsAre("the tokenizer could not be kept: cannot be written: Not a directory"));
}

TEST_F(CorpusTest, StopsWhenTold) {
  std::stop_source source;
  source.request_stop();
  write("a.txt", passages_of_text(0, 300));
  const auto corpus = prepare_corpus(request(path("a.txt")), {}, source.get_token());
  ASSERT_FALSE(corpus.has_value());
  EXPECT_EQ(message(corpus.error()),
            "error: the preparation of the corpus was stopped\nhint: start again to continue\n");
}

TEST_F(CorpusTest, ListNamesTheBuiltInOnes) {
  const auto list = list_corpora(path("cache"));
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[0].id, "manuals");
  EXPECT_FALSE(list[0].cached);
  EXPECT_EQ(list[1].id, "catalogs");
  EXPECT_FALSE(list[1].cached);
  EXPECT_EQ(list[2].id, "synthetic");
  EXPECT_TRUE(list[2].cached);
  EXPECT_EQ(list[3].id, "synthetic_pairs");
  EXPECT_TRUE(list[3].cached);
}

}  // namespace
}  // namespace moescope::corpus
