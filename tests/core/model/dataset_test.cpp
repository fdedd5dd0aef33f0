#include "core/model/dataset.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "tests/core/model/tiny_corpus.h"

namespace moescope {
namespace {

using model::BatchStream;

std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.const_data_ptr<std::int64_t>(), flat.const_data_ptr<std::int64_t>() + flat.numel()};
}

corpus::Split counting(int tokens) {
  corpus::Split split;
  for (int i = 0; i < tokens; ++i) split.tokens.push_back(i);
  split.begin_D = {0, tokens};
  split.label_D = {0};
  split.name_D = {"all"};
  return split;
}

TEST(BatchStream, TargetsAreTheNextTokens) {
  const corpus::Split split = counting(101);
  BatchStream stream(split, 3, 10, 1);
  const model::Batch batch = stream.batch(0);
  const auto tokens = numbers(batch.tokens_BL), targets = numbers(batch.target_T);
  for (std::size_t t = 0; t < tokens.size(); ++t) EXPECT_EQ(targets[t], tokens[t] + 1);
}

TEST(BatchStream, AnEpochShowsEveryWindowOnceAndTheNextInAnotherOrder) {
  const corpus::Split split = counting(101);
  BatchStream stream(split, 1, 10, 1);
  ASSERT_EQ(stream.num_windows(), 10);
  std::vector<std::int64_t> first, second;
  for (int step = 0; step < 10; ++step) first.push_back(numbers(stream.batch(step).tokens_BL)[0]);
  for (int step = 10; step < 20; ++step) second.push_back(numbers(stream.batch(step).tokens_BL)[0]);
  EXPECT_EQ(std::set<std::int64_t>(first.begin(), first.end()).size(), 10U);
  EXPECT_EQ(std::set<std::int64_t>(second.begin(), second.end()).size(), 10U);
  EXPECT_NE(first, second);
}

TEST(BatchStream, AnyStepCanBeAskedForInAnyOrder) {
  const corpus::Split split = counting(101);
  BatchStream forwards(split, 3, 10, 1), alone(split, 3, 10, 1);
  for (int step = 0; step < 8; ++step) forwards.batch(step);
  EXPECT_EQ(numbers(forwards.batch(7).tokens_BL), numbers(alone.batch(7).tokens_BL));
  EXPECT_EQ(numbers(forwards.batch(2).tokens_BL), numbers(alone.batch(2).tokens_BL));
}

TEST(BatchStream, RefusesATextShorterThanOneSequence) {
  const corpus::Split split = counting(10);
  try {
    BatchStream stream(split, 1, 10, 1);
    FAIL() << "a stream of nothing";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "the training text has 10 tokens, fewer than one sequence of 10 and the token after it; take a longer "
                 "text or a smaller model.context");
  }
}

TEST(FixedBatches, SpreadOverTheSplitAndStopWhenItIsSmall) {
  const corpus::Split split = counting(201);
  const auto batches = model::fixed_batches(split, 2, 10, 3);
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(numbers(batches[0].tokens_BL)[0], 0);
  EXPECT_EQ(numbers(batches[2].tokens_BL)[10], 160);
  EXPECT_EQ(model::fixed_batches(split, 8, 10, 9).size(), 3U);
  EXPECT_TRUE(model::fixed_batches(counting(3), 2, 10, 3).empty());
}

TEST(ProbeSequences, TakeTheLabelsInTurnAndAreTheSameForASeed) {
  const auto corpus = test::tiny_corpus();
  const auto probe = model::probe_sequences(corpus->probe, 64, 16, 9);
  ASSERT_EQ(probe.tokens_BL.sizes().vec(), (std::vector<std::int64_t>{4, 16}));
  std::array<int, 2> rows_per_label{};
  for (std::size_t row = 0; row < 4; ++row) {
    const auto document = static_cast<std::size_t>(model::document_of(corpus->probe, probe.source_T[row * 16]));
    ++rows_per_label[static_cast<std::size_t>(corpus->probe.label_D[document])];
  }
  EXPECT_EQ(rows_per_label, (std::array<int, 2>{2, 2}));
  EXPECT_EQ(probe.source_T, model::probe_sequences(corpus->probe, 64, 16, 9).source_T);
  EXPECT_NE(probe.source_T, model::probe_sequences(corpus->probe, 64, 16, 10).source_T);
}

TEST(ProbeSequences, StayInsideASmallSplit) {
  const auto probe = model::probe_sequences(counting(20), 64, 16, 9);
  EXPECT_EQ(probe.source_T.size(), 64U);
  for (const std::int64_t source : probe.source_T) EXPECT_LT(source, 20);
  EXPECT_TRUE(model::probe_sequences(counting(0), 64, 16, 9).source_T.empty());
}

}  // namespace
}  // namespace moescope
