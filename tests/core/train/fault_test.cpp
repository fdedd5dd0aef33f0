// An exception anywhere in a step becomes Failed with step, phase and message, and a new run can start.
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "tests/core/train/thread_harness.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using test::Harness;

class EveryPhase : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryPhase, FailsTheRunWithStepPhaseAndMessage) {
  train::TrainerHooks hooks = test::tiny_hooks();
  const std::string where = GetParam();
  const std::int64_t when = where == "prepare" ? 0 : where == "probe" ? 5 : where == "validate" ? 20 : 7;
  hooks.on_phase = [=](std::string_view phase, std::int64_t step) {
    if (phase == where && step >= when) throw std::runtime_error("thrown by the test");
  };
  {
    test::ThreadHarness run(test::tiny_config("switch"), hooks);
    ASSERT_TRUE(run.wait_for(bus::RunState::kFailed));
    const bus::RunStatus status = run.status();
    // Steps are counted from 1, so that after seven the eighth fails.
    const bool in_the_next = where == "data" || where == "forward" || where == "backward" || where == "optimizer";
    EXPECT_EQ(status.failure.step, when + (in_the_next ? 1 : 0));
    EXPECT_EQ(status.failure.phase, where);
    EXPECT_EQ(status.failure.message, "thrown by the test");
    EXPECT_TRUE(run.wait_until([&] { return run.thread->ended(); }));
  }
  test::ThreadHarness again(test::tiny_config("switch", {"train.steps=3"}));
  EXPECT_TRUE(again.wait_for(bus::RunState::kFinished));
}

INSTANTIATE_TEST_SUITE_P(Faults, EveryPhase,
                         ::testing::Values("prepare", "data", "forward", "backward", "optimizer", "validate", "probe",
                                           "publish", "record"),
                         [](const auto& chosen) { return chosen.param; });

TEST(Faults, CommandsThatWaitWhenARunFailsAreRefused) {
  train::TrainerHooks hooks = test::tiny_hooks();
  auto channels = std::make_shared<bus::Channels>();
  hooks.on_phase = [channels](std::string_view phase, std::int64_t step) {
    if (phase != "backward" || step < 3) return;
    channels->commands.try_push(test::command(bus::CommandKind::kPause));
    throw std::runtime_error("thrown by the test");
  };
  test::ThreadHarness run(test::tiny_config("switch"), hooks, channels);
  ASSERT_TRUE(run.wait_until([&] { return run.thread->ended(); }));
  const auto replies = channels->replies.drain();
  ASSERT_EQ(replies.size(), 1U);
  EXPECT_FALSE(replies[0].done);
  EXPECT_EQ(replies[0].text, "the run has failed");
}

std::string what_a_step_throws(Harness& run) {
  try {
    run.steps(1);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing";
}

at::Tensor parameter(Harness& run, const std::string& name) {
  return run.trainer->model().parameters().with_prefix(name).at(0).tensor.detach();
}

TEST(Faults, ANonFiniteLossIsFoundBeforeAnythingIsWritten) {
  Harness run(test::tiny_config("dense"));
  run.steps(2);
  parameter(run, "final_norm.weight").fill_(std::numeric_limits<float>::infinity());
  const auto before = run.checksum();
  EXPECT_EQ(what_a_step_throws(run),
            "the task loss is not finite; nothing was updated. Lower train.lr, or its coefficient");
  EXPECT_EQ(run.checksum(), before);
  EXPECT_EQ(run.trainer->clock().current(), train::Phase::kForward);
}

TEST(Faults, NonFiniteRouterScoresAreFoundBeforeAnythingIsWritten) {
  Harness run(test::tiny_config("switch"));
  run.steps(2);
  parameter(run, "embedding.position").fill_(std::numeric_limits<float>::quiet_NaN());
  const auto before = run.checksum();
  EXPECT_NE(what_a_step_throws(run).find("router scores are not finite"), std::string::npos);
  EXPECT_EQ(run.checksum(), before);
}

}  // namespace
}  // namespace moescope
