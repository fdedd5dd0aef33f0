#include "core/model/document_stream.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/core/model/tiny_pairs.h"

namespace moescope {
namespace {

std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.const_data_ptr<std::int64_t>(), flat.const_data_ptr<std::int64_t>() + flat.numel()};
}

corpus::Split three_documents() {
  corpus::Split split;
  split.tokens = {1, 2, 3, 4, 5, 6};
  split.begin_D = {0, 4, 4, 6};
  split.label_D = {0, 0, 1};
  split.name_D = {"a", "empty", "b"};
  split.class_D = {2, 1, 0};
  return split;
}

TEST(DocumentBatch, HoldsBeginningsPaddedAndTheirClasses) {
  const model::Batch batch = model::document_batch(three_documents(), {0, 2}, 3, 9);
  EXPECT_EQ(numbers(batch.tokens_BL), (std::vector<std::int64_t>{1, 2, 3, 5, 6, 9}));
  EXPECT_EQ(numbers(batch.cell_T), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(numbers(batch.target_T), (std::vector<std::int64_t>{2, 0}));
}

TEST(DocumentsOf, AreThoseOfTheLabelWithAClassAndAToken) {
  corpus::Split split = three_documents();
  EXPECT_EQ(model::documents_of(split, 0), (std::vector<std::int64_t>{0}));
  split.class_D[0] = -1;
  EXPECT_TRUE(model::documents_of(split, 0).empty());
  split.class_D.clear();
  EXPECT_TRUE(model::documents_of(split, 1).empty());
}

TEST(TrainedLabel, IsEnglishWhereThereIsEnglish) {
  corpus::Corpus corpus;
  corpus.labels = {"Deutsch", "English"};
  EXPECT_EQ(model::trained_label(corpus), 1);
  corpus.labels = {"a", "b"};
  EXPECT_EQ(model::trained_label(corpus), 0);
}

TEST(DocumentStream, AnEpochShowsEveryDocumentOnce) {
  const auto corpus = test::tiny_classes();
  const std::vector<std::int64_t> documents = model::documents_of(corpus->train, 0);
  ASSERT_EQ(documents.size(), 40U);
  model::DocumentStream stream(corpus->train, documents, 8, 16, corpus->special.pad, 3);
  std::multiset<std::int64_t> seen, wanted;
  for (int step = 0; step < 5; ++step) {
    for (const std::int64_t one : numbers(stream.batch(step).tokens_BL.select(1, 1))) seen.insert(one);
  }
  for (const std::int64_t d : documents)
    wanted.insert(
        corpus->train.tokens[static_cast<std::size_t>(corpus->train.begin_D[static_cast<std::size_t>(d)] + 1)]);
  EXPECT_EQ(seen, wanted);
  model::DocumentStream alone(corpus->train, documents, 8, 16, corpus->special.pad, 3);
  EXPECT_TRUE(stream.batch(9).target_T.equal(alone.batch(9).target_T));
}

}  // namespace
}  // namespace moescope
