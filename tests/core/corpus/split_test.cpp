#include "core/corpus/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/base/seed.h"

namespace moescope::corpus {
namespace {

std::vector<SplitItem> items(int count, std::int64_t num_tokens = 100) {
  std::vector<SplitItem> made;
  for (int i = 0; i < count; ++i)
    made.push_back(
        {derive_seed(1, "key", static_cast<std::uint64_t>(i)), static_cast<std::int16_t>(i % 3), num_tokens});
  return made;
}

std::array<std::int64_t, 3> tokens_of(const std::vector<SplitItem>& documents, const std::vector<Part>& parts) {
  std::array<std::int64_t, 3> sum{};
  for (std::size_t i = 0; i < parts.size(); ++i) sum[static_cast<std::size_t>(parts[i])] += documents[i].num_tokens;
  return sum;
}

TEST(Split, TakesAboutNinetyEightAndTwoPercent) {
  const auto documents = items(10'000, 1);
  const auto sum = tokens_of(documents, *assign_parts(documents, 8));
  EXPECT_NEAR(static_cast<double>(sum[0]), 9000, 150);
  EXPECT_NEAR(static_cast<double>(sum[1]), 800, 120);
  EXPECT_NEAR(static_cast<double>(sum[2]), 200, 60);
}

TEST(Split, AddingADocumentMovesNoOther) {
  const auto all = items(1000);
  const auto parts_of_all = *assign_parts(all, 128);
  const std::vector<SplitItem> fewer(all.begin(), all.begin() + 900);
  const auto parts_of_fewer = *assign_parts(fewer, 128);
  EXPECT_TRUE(std::equal(parts_of_fewer.begin(), parts_of_fewer.end(), parts_of_all.begin()));
}

TEST(Split, DependsOnNoOrder) {
  auto documents = items(300);
  const auto parts = *assign_parts(documents, 64);
  std::reverse(documents.begin(), documents.end());
  auto reversed = *assign_parts(documents, 64);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(parts, reversed);
}

TEST(Split, EveryLabelIsProbed) {
  for (int count : {9, 12, 30, 60}) {
    const auto documents = items(count);
    const auto parts = *assign_parts(documents, 64);
    std::array<int, 3> probed{};
    for (std::size_t i = 0; i < parts.size(); ++i)
      probed[static_cast<std::size_t>(documents[i].label)] += parts[i] == Part::kProbe ? 1 : 0;
    for (const int number : probed) EXPECT_GT(number, 0) << count << " documents";
  }
}

TEST(Split, EveryPartHasEnoughForASequenceWheneverThatCanBe) {
  for (int count = 3; count < 40; ++count) {
    const auto documents = items(count);
    const auto parts = assign_parts(documents, 99);  // exactly one document each
    ASSERT_TRUE(parts.has_value()) << count;
    for (const std::int64_t sum : tokens_of(documents, *parts)) EXPECT_GE(sum, 100) << count;
  }
}

TEST(Split, RefusesWhatCannotBeDivided) {
  EXPECT_FALSE(assign_parts(items(2, 1000), 99));
  EXPECT_FALSE(assign_parts(items(3, 99), 99));
  EXPECT_FALSE(assign_parts({}, 8));
}

}  // namespace
}  // namespace moescope::corpus
