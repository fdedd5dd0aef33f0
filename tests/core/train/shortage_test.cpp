// Memory that runs out anywhere in a step leaves the state of the boundary before it, and the step can be tried again
// to the same bits (F3). A failed step leaves its state for looking at (F2).
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <iostream>
#include <limits>

#include "tests/core/record/scratch_folder.h"
#include "tests/core/train/recorded_run.h"
#include "tests/core/train/test_allocator.h"

namespace moescope {
namespace {

using test::FailingAllocator;
using test::RecordedRun;

class Shortage : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Faults, Shortage, ::testing::Values("stablemoe", "loss_free", "remoe", "thor", "soft_moe"),
                         [](const auto& chosen) { return chosen.param; });

TEST_P(Shortage, AtAnyAllocationOfAStepLosesNothing) {
  const config::RunConfig config = test::recorded_config(GetParam());
  RecordedRun truth(test::request_of(config, ""));
  truth.steps_to(24);
  const train::StateHash boundary = truth.hash();
  truth.steps_to(26);

  FailingAllocator allocator;
  RecordedRun run(test::request_of(config, ""));
  run.steps_to(24);
  int points = 0, caught = 0;
  // Step 25 validates nothing and probes (every 5): data, forward, backward, update, probe, frame.
  for (int n = 1;; n += 1 + n / 40) {  // the later, the sparser: steps repeat themselves
    allocator.arm(n);
    const bool went = run.trainer->try_step();
    const bool failed = allocator.has_failed();
    allocator.arm(-1);
    if (went) {
      EXPECT_FALSE(failed) << "allocation " << n << " failed and the step went on";
      break;
    }
    ++points;
    caught += run.trainer->steps_done() == 24 && test::difference(boundary, run.hash()).empty() ? 1 : 0;
    EXPECT_EQ(test::difference(boundary, run.hash()), "") << "allocation " << n;
    ASSERT_EQ(run.trainer->steps_done(), 24);
    EXPECT_EQ(run.channels->status.read().state, bus::RunState::kPaused);
    EXPECT_NE(run.channels->status.read().activity.find("step 25 ran out of memory"), std::string::npos);
    EXPECT_TRUE(run.send(test::command(bus::CommandKind::kResume)).done);
  }
  run.trainer->step();
  EXPECT_EQ(test::difference(truth.hash(), run.hash()), "");
  EXPECT_GT(points, 30);
  std::cout << caught << " of " << points << " points of failure left the state as it was\n";
}

TEST(Shortage, WhereNobodyCanResumeTheStepIsTriedOnceMore) {
  FailingAllocator allocator;
  train::RunRequest request = test::request_of(test::recorded_config("switch"), "");
  request.pause_when_disk_full = false;
  RecordedRun run(request);
  run.steps_to(3);
  allocator.arm(50);
  EXPECT_FALSE(run.trainer->try_step());
  allocator.arm(50);
  try {
    run.trainer->try_step();
    FAIL() << "there was memory";
  } catch (const c10::OutOfMemoryError&) {
    allocator.arm(-1);
    EXPECT_EQ(run.trainer->clock().current(), train::Phase::kForward);
    run.trainer->fail(std::current_exception());
  }
  EXPECT_EQ(run.channels->status.read().failure.step, 4) << "the step of which 'ran out of memory' was said";
  EXPECT_EQ(run.channels->status.read().step, 3) << "steps done";
}

TEST(Shortage, AFailedStepLeavesItsStateForLookingAtAndTheRunGoesOnFromBefore) {
  const record::ScratchFolder scratch;
  const config::RunConfig config = test::recorded_config("switch");
  {
    RecordedRun run(test::request_of(config, scratch / "run"));
    run.steps_to(23);
    run.trainer->model()
        .parameters()
        .with_prefix("final_norm.weight")
        .at(0)
        .tensor.detach()
        .fill_(std::numeric_limits<float>::quiet_NaN());
    try {
      run.trainer->step();
      FAIL() << "a NaN was trained on";
    } catch (...) {
      run.trainer->fail(std::current_exception());
    }
    EXPECT_EQ(run.channels->status.read().state, bus::RunState::kFailed);
  }
  auto reader = record::RunReader::open(scratch / "run");
  ASSERT_TRUE(reader);
  const auto rows = (*reader)->checkpoints();
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.back().kind, record::CheckpointKind::kTainted);
  EXPECT_EQ(rows.back().step, 23);
  EXPECT_EQ((*reader)->last_step(), 23);
  const auto events = (*reader)->events();
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const record::EventRow& row) {
    return row.kind == "failure" && row.text.find("the task loss is not finite") != std::string::npos;
  }));
  RecordedRun truth(test::request_of(config, ""));
  truth.steps_to(30);
  RecordedRun again(test::continued(config, scratch / "run"));
  EXPECT_EQ(again.trainer->steps_done(), 23);
  again.steps_to(30);
  EXPECT_EQ(test::difference(truth.hash(), again.hash()), "");
}

}  // namespace
}  // namespace moescope
