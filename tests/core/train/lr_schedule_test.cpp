#include "core/train/lr_schedule.h"

#include <gtest/gtest.h>

namespace moescope {
namespace {

config::TrainConfig train(const std::string& schedule) {
  config::TrainConfig train;
  train.steps = 110;
  train.warmup = 10;
  train.lr = 0.01;
  train.schedule = schedule;
  return train;
}

TEST(LrSchedule, RisesLinearlyThenFallsToATenth) {
  const train::LrSchedule schedule(train("cosine"));
  EXPECT_NEAR(schedule.at(0), 0.01 / 11, 1e-12);
  EXPECT_NEAR(schedule.at(4), 0.01 * 5 / 11, 1e-12);
  EXPECT_NEAR(schedule.at(10), 0.01, 1e-12);
  EXPECT_NEAR(schedule.at(60), 0.0055, 1e-12);
  EXPECT_NEAR(schedule.at(110), 0.001, 1e-12);
  EXPECT_NEAR(schedule.at(500), 0.001, 1e-12);
}

TEST(LrSchedule, StaysAtThePeakWhenConstant) {
  const train::LrSchedule schedule(train("constant"));
  EXPECT_NEAR(schedule.at(100), 0.01, 1e-12);
}

TEST(LrSchedule, AValueSetAfterWarmUpHoldsAtOnceAndTheScheduleGoesOnFromThere) {
  train::LrSchedule schedule(train("cosine"));
  schedule.set_value(0.002, 60);
  EXPECT_NEAR(schedule.at(60), 0.002, 1e-12);
  EXPECT_NEAR(schedule.at(110), 0.002 * 0.1 / 0.55, 1e-12);
  EXPECT_NEAR(schedule.value(60), 0.002, 1e-12);
}

TEST(LrSchedule, AValueSetDuringWarmUpIsWhatTheRampLeadsTo) {
  train::LrSchedule schedule(train("cosine"));
  schedule.set_value(0.004, 2);
  EXPECT_NEAR(schedule.at(2), 0.004 * 3 / 11, 1e-12);
  EXPECT_NEAR(schedule.at(10), 0.004, 1e-12);
  EXPECT_NEAR(schedule.value(2), 0.004, 1e-12);
}

}  // namespace
}  // namespace moescope
