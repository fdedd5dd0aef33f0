#include "core/model/pair_stream.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "core/moe/objective.h"
#include "tests/core/model/tiny_pairs.h"

namespace moescope {
namespace {

std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.const_data_ptr<std::int64_t>(), flat.const_data_ptr<std::int64_t>() + flat.numel()};
}

/// Two pairs: "1 2 3" → "1 2 3" and "4" → "5 6".
corpus::Corpus two_pairs() {
  corpus::Corpus made;
  made.labels = {"copy", "reverse"};
  made.tokenizer = std::make_shared<test::WordTokenizer>();
  made.special = {16, 17, 18, 19, {20, 21}};
  made.train_pairs = {{1, 2, 3, 4}, {1, 2, 3, 5, 6}, {0, 3, 4}, {0, 3, 5}, {0, 1}, {"a", "b"}, {}, {}};
  return made;
}

TEST(PairBatch, PutsTagAndEndsWhereTheModelExpectsThem) {
  const corpus::Corpus corpus = two_pairs();
  const model::Batch batch = model::pair_batch(corpus, corpus.train_pairs, {0, 1});
  EXPECT_EQ(numbers(batch.source_BL), (std::vector<std::int64_t>{20, 1, 2, 3, 17, 21, 4, 17, 18, 18}));
  EXPECT_EQ(numbers(batch.source_cell_T), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(numbers(batch.tokens_BL), (std::vector<std::int64_t>{16, 1, 2, 3, 16, 5, 6, 18}));
  EXPECT_EQ(numbers(batch.cell_T), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(numbers(batch.target_T), (std::vector<std::int64_t>{1, 2, 3, 17, 5, 6, 17}));
  EXPECT_EQ(batch.num_tokens(), 15);
}

TEST(PairBatch, WithoutPaddingHasNoCells) {
  const corpus::Corpus corpus = two_pairs();
  const model::Batch batch = model::pair_batch(corpus, corpus.train_pairs, {0});
  EXPECT_FALSE(batch.cell_T.defined());
  EXPECT_FALSE(batch.source_cell_T.defined());
  EXPECT_EQ(batch.num_tokens(), 9);
}

TEST(FittingPairs, AreThoseThatFitOnBothSides) {
  const corpus::Corpus corpus = two_pairs();
  EXPECT_EQ(model::fitting_pairs(corpus.train_pairs, 5), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(model::fitting_pairs(corpus.train_pairs, 4), (std::vector<std::int64_t>{1}));
  EXPECT_THROW(model::PairStream(corpus, 2, 2, 1), std::runtime_error);
}

/// The order of words tells pairs apart.
std::vector<std::int64_t> row(const at::Tensor& tokens_BL, std::int64_t b) { return numbers(tokens_BL.select(0, b)); }

TEST(PairStream, AnEpochShowsEveryPairOnceAndTheNextInAnotherOrder) {
  const auto corpus = test::tiny_pairs();
  model::PairStream stream(*corpus, 10, 16, 1);
  std::map<std::vector<std::int64_t>, int> seen;
  std::vector<std::vector<std::int64_t>> first;
  for (int step = 0; step < 7; ++step) {
    const model::Batch batch = stream.batch(step);
    for (std::int64_t b = 0; b < batch.tokens_BL.size(0); ++b) {
      std::vector<std::int64_t> words = row(batch.source_BL, b);
      while (words.back() == corpus->special.pad) words.pop_back();
      ++seen[words];
    }
    first.push_back(numbers(batch.target_T));
  }
  int pairs = 0;
  for (const auto& [words, times] : seen) pairs += times;
  EXPECT_EQ(pairs, 64);
  std::vector<std::vector<std::int64_t>> second;
  for (int step = 7; step < 14; ++step) second.push_back(numbers(stream.batch(step).target_T));
  EXPECT_NE(first, second);
}

TEST(PairStream, AnyStepCanBeAskedForAndPairsOfLikeLengthGoTogether) {
  const auto corpus = test::tiny_pairs();
  model::PairStream forwards(*corpus, 8, 16, 1), alone(*corpus, 8, 16, 1);
  std::int64_t padding = 0;
  for (int step = 0; step < 8; ++step) {
    const model::Batch batch = forwards.batch(step);
    padding += batch.tokens_BL.numel() - (batch.cell_T.defined() ? batch.cell_T.numel() : batch.tokens_BL.numel());
  }
  EXPECT_TRUE(forwards.batch(12).target_T.equal(alone.batch(12).target_T));
  EXPECT_LE(padding, 8 * 3) << "64 sorted pairs change their length three times";
}

TEST(FixedPairBatches, TakeTheLanguagesInTurn) {
  const auto corpus = test::tiny_pairs();
  const auto batches = model::fixed_pair_batches(*corpus, corpus->valid_pairs, 4, 16, 2);
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(numbers(batches[0].source_BL.select(1, 0)), (std::vector<std::int64_t>{20, 21, 20, 21}));
}

}  // namespace
}  // namespace moescope
