#include "core/base/seed.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace moescope {
namespace {

// The first outputs of SplitMix64 with seed 1234567, as published with the algorithm.
TEST(Seed, IsSplitMix64) {
  constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15ULL;
  EXPECT_EQ(mix_bits(1234567), 6457827717110365317ULL);
  EXPECT_EQ(mix_bits(1234567 + kGamma), 3203168211198807973ULL);
}

TEST(Seed, EveryPurposeAndCounterHasItsOwn) {
  std::set<std::uint64_t> seeds;
  for (const std::uint64_t run : {0ULL, 1ULL, 7ULL})
    for (const char* purpose : {"init", "data order", "router noise", ""})
      for (std::uint64_t step = 0; step < 50; ++step)
        for (std::uint64_t layer = 0; layer < 4; ++layer) seeds.insert(derive_seed(run, purpose, step, layer));
  EXPECT_EQ(seeds.size(), 3U * 4U * 50U * 4U);
  EXPECT_EQ(derive_seed(7, "init", 3, 1), derive_seed(7, "init", 3, 1));
}

TEST(SeededWords, StayInRangeAndSpread) {
  SeededWords words(42);
  double sum = 0;
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i) {
    const double unit = words.unit();
    ASSERT_GE(unit, 0);
    ASSERT_LT(unit, 1);
    sum += unit;
    ++counts[words.below(7)];
  }
  EXPECT_NEAR(sum / 7000, 0.5, 0.02);
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace moescope
