#include "core/model/masked_stream.h"

#include <gtest/gtest.h>

#include "core/moe/objective.h"
#include "tests/core/model/tiny_pairs.h"

namespace moescope {
namespace {

const model::MaskRule kRule{0.15, test::kTinyVocab + 3, test::kTinyVocab};

struct Counted {
  int tokens = 0, asked = 0, masked = 0, kept = 0;
};

/// What became of the tokens of `hidden`, which were those of `plain`.
Counted count(const model::Batch& plain, const model::Batch& hidden) {
  Counted counted;
  const auto* before = plain.tokens_BL.const_data_ptr<std::int64_t>();
  const auto* after = hidden.tokens_BL.const_data_ptr<std::int64_t>();
  const auto* target = hidden.target_T.const_data_ptr<std::int64_t>();
  for (std::int64_t t = 0; t < plain.tokens_BL.numel(); ++t) {
    ++counted.tokens;
    if (target[t] == moe::kNoTarget) {
      EXPECT_EQ(after[t], before[t]) << "what is not asked for is not hidden";
      continue;
    }
    ++counted.asked;
    EXPECT_EQ(target[t], before[t]) << "what stood there is asked for";
    EXPECT_TRUE(after[t] == kRule.mask_id || after[t] < test::kTinyVocab);
    counted.masked += after[t] == kRule.mask_id;
    counted.kept += after[t] == before[t];
  }
  return counted;
}

TEST(MaskedStream, HidesFifteenInAHundredByBertsRule) {
  const auto corpus = test::tiny_corpus();
  model::BatchStream plain(corpus->train, 8, 16, 3);
  model::MaskedStream masked(corpus->train, 8, 16, kRule, 3);
  Counted all;
  for (int step = 0; step < 200; ++step) {
    const Counted one = count(plain.batch(step), masked.batch(step));
    EXPECT_GT(one.asked, 0);
    all.tokens += one.tokens;
    all.asked += one.asked;
    all.masked += one.masked;
    all.kept += one.kept;
  }
  const double asked = all.asked;
  EXPECT_NEAR(asked / all.tokens, 0.15, 0.01);
  EXPECT_NEAR(all.masked / asked, 0.8, 0.03);
  EXPECT_NEAR(all.kept / asked, 0.1 + 0.1 / test::kTinyVocab, 0.02);
}

TEST(MaskedStream, FollowsFromRunSeedAndStep) {
  const auto corpus = test::tiny_corpus();
  model::MaskedStream one(corpus->train, 2, 16, kRule, 3), again(corpus->train, 2, 16, kRule, 3);
  one.batch(0);
  EXPECT_TRUE(one.batch(5).tokens_BL.equal(again.batch(5).tokens_BL));
  EXPECT_TRUE(one.batch(5).target_T.equal(again.batch(5).target_T));
  EXPECT_FALSE(one.batch(5).target_T.equal(one.batch(6).target_T));
}

TEST(MaskedStream, AsksForATokenHoweverSmallTheShare) {
  const auto corpus = test::tiny_corpus();
  model::MaskedStream masked(corpus->train, 1, 16, {1e-9, kRule.mask_id, kRule.num_words}, 3);
  EXPECT_EQ(masked.batch(0).target_T.ne(moe::kNoTarget).sum().item<std::int64_t>(), 1);
}

TEST(FixedMaskedBatches, AreTheSameEachTimeAndUnlikeEachOther) {
  const auto corpus = test::tiny_corpus();
  const auto once = model::fixed_masked_batches(corpus->valid, 4, 16, 2, kRule);
  const auto again = model::fixed_masked_batches(corpus->valid, 4, 16, 2, kRule);
  ASSERT_EQ(once.size(), 2U);
  EXPECT_TRUE(once[1].tokens_BL.equal(again[1].tokens_BL));
  EXPECT_FALSE(once[0].target_T.eq(moe::kNoTarget).equal(once[1].target_T.eq(moe::kNoTarget)));
}

}  // namespace
}  // namespace moescope
