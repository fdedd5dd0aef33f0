#include "core/moe/k_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace moescope::moe {
namespace {

TEST(KSchedule, LinearClimbsAtTheStepsOfTheReleasedCode) {
  const KSchedule schedule{"linear", 8, 16};
  const auto k = [&](std::int64_t step) { return k_at(schedule, step, 400'000); };
  // Halves round to even, so every other stair begins one step later.
  const std::int64_t begins[] = {25'001, 75'000, 125'001, 175'000, 225'001, 275'000, 325'001, 375'000};
  for (int stair = 0; stair < 8; ++stair) {
    EXPECT_EQ(k(begins[stair]), 9 + stair) << begins[stair];
    EXPECT_EQ(k(begins[stair] - 1), 8 + stair) << begins[stair] - 1;
  }
  EXPECT_EQ(k(0), 8);
  EXPECT_EQ(k(399'999), 16);
}

TEST(KSchedule, LinearFallsWhenTheEndIsBelowTheStart) {
  const KSchedule schedule{"linear", 16, 8};
  EXPECT_EQ(k_at(schedule, 25'000, 400'000), 16);
  EXPECT_EQ(k_at(schedule, 25'001, 400'000), 15);
  EXPECT_EQ(k_at(schedule, 375'000, 400'000), 8);
}

TEST(KSchedule, CosineIsAQuarterWave) {
  // round((first − last) · cos(π/2 · t/T)) from the end: cos = .923880, .707107, .382683 at quarters.
  const auto at_quarters = [](int first, int last) {
    std::vector<int> k;
    for (int quarter = 0; quarter <= 4; ++quarter) k.push_back(k_at({"cosine", first, last}, quarter * 100, 400));
    return k;
  };
  EXPECT_EQ(at_quarters(1, 16), (std::vector<int>{1, 2, 5, 10, 16}));
  EXPECT_EQ(at_quarters(16, 1), (std::vector<int>{16, 15, 12, 7, 1}));
}

TEST(KSchedule, ExponentialIsFastFirstAndArrives) {
  const KSchedule schedule{"exponential", 1, 16};
  const auto k = [&](std::int64_t step) { return k_at(schedule, step, 3000); };
  EXPECT_EQ(k(0), 1);
  // (0.99^100 − 0.99^300)/(1 − 0.99^300) = .333450 is left after a third, .089085 after two.
  EXPECT_EQ(k(1000), 16 - 5);
  EXPECT_EQ(k(2000), 16 - 1);
  EXPECT_EQ(k(2999), 16) << "the released code ends at 15";
}

TEST(KSchedule, MultiStepDoublesOrHalvesInEqualParts) {
  const auto walk = [](int first, int last, std::int64_t total) {
    std::vector<int> k;
    for (std::int64_t step = 0; step < total; ++step) k.push_back(k_at({"multi_step", first, last}, step, total));
    return k;
  };
  EXPECT_EQ(walk(1, 16, 10), (std::vector<int>{1, 1, 2, 2, 4, 4, 8, 8, 16, 16}));
  EXPECT_EQ(walk(16, 1, 5), (std::vector<int>{16, 8, 4, 2, 1}));
  EXPECT_EQ(walk(3, 7, 3), (std::vector<int>{3, 6, 7})) << "the last value need not be a power";
}

TEST(KSchedule, EveryModeIsTotalMonotoneAndArrives) {
  for (const std::string& mode : k_schedule_modes()) {
    for (const auto& [first, last] : {std::pair(1, 16), std::pair(2, 16), std::pair(16, 1), std::pair(5, 5)}) {
      for (const std::int64_t total : {1, 7, 299, 300, 301, 4000}) {
        const KSchedule schedule{mode, first, last};
        int before = k_at(schedule, 0, total);
        EXPECT_EQ(before, mode == "fixed" ? last : first) << mode;
        EXPECT_EQ(k_at(schedule, -1, total), before) << mode;
        for (std::int64_t step = 1; step <= total + 2; ++step) {
          const int now = k_at(schedule, step, total);
          EXPECT_TRUE(first <= last ? now >= before : now <= before) << mode << " at " << step << " of " << total;
          EXPECT_TRUE(now >= std::min(first, last) && now <= std::max(first, last)) << mode;
          before = now;
        }
        EXPECT_EQ(k_at(schedule, total, total), last) << mode << " of " << total;
        if (total >= 299) {
          EXPECT_EQ(k_at(schedule, total - 1, total), last) << mode << ": the last step trained";
        }
      }
    }
  }
}

}  // namespace
}  // namespace moescope::moe
