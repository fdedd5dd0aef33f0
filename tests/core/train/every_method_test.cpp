// Every registered method trains, stays finite, keeps what is held still bit-identical for 50 steps with weight decay
// and momentum on, and can be pinned if its tokens choose. New methods are covered unasked.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;

class EveryMethod : public testing::TestWithParam<std::string> {
 protected:
  config::RunConfig config() const { return test::tiny_config(GetParam(), {"train.weight_decay=0.1"}); }
  const config::Traits& traits() const { return moe::find_method(GetParam())->info.traits; }
};

std::vector<moe::Parameter> fixed_ones(Harness& run) {
  std::vector<moe::Parameter> fixed;
  for (const moe::Parameter& one : run.trainer->model().parameters().all()) {
    if (one.fixed) fixed.push_back(one);
  }
  return fixed;
}

TEST_P(EveryMethod, LearnsAndKeepsFixedPartsBitIdentical) {
  Harness run(config());
  const std::uint64_t fixed = moe::checksum(fixed_ones(run));
  run.steps(60);
  EXPECT_EQ(moe::checksum(fixed_ones(run)), fixed);
  for (const telemetry::FramePtr& frame : run.frames) EXPECT_TRUE(std::isfinite(frame->losses.back().value));
  EXPECT_LT(run.loss(59), run.loss(0) - 0.3) << "the tiny corpus is learnt by any routing";
  EXPECT_TRUE(std::isfinite(run.frames.back()->validation_loss));
}

TEST_P(EveryMethod, AFrozenRouterStaysBitIdentical) {
  Harness run(config());
  run.steps(5);
  const bus::Reply reply = run.send(test::command(CommandKind::kFreezeRouter));
  ASSERT_EQ(reply.done, traits().router_learns) << reply.text;
  if (!reply.done) return;
  const std::uint64_t one = run.checksum("moe.1.router"), two = run.checksum("moe.2.router");
  const std::uint64_t experts = run.checksum("moe.1.expert");
  std::vector<at::Tensor> state;
  moe::Router& router = run.trainer->model().layers().front().router();
  for (const moe::NamedTensor& each : router.state()) state.push_back(each.tensor.clone());
  run.steps(50);
  EXPECT_EQ(run.checksum("moe.1.router"), one);
  EXPECT_EQ(run.checksum("moe.2.router"), two);
  EXPECT_NE(run.checksum("moe.1.expert"), experts);
  for (std::size_t i = 0; i < state.size(); ++i) EXPECT_TRUE(router.state()[i].tensor.equal(state[i]));
}

TEST_P(EveryMethod, EveryStageRunsAndCanBeEnteredByHand) {
  Harness run(config());
  const auto num_stages = static_cast<int>(moe::find_method(GetParam())->info.stages.size());
  for (int stage = num_stages - 1; stage >= 0 && num_stages > 1; --stage) {
    bus::Command change = test::command(CommandKind::kSwitchStage);
    change.count = stage;
    if (run.trainer->steps_done() > 0 && run.frames.back()->stage == stage) continue;
    const bus::Reply reply = run.send(change);
    run.steps(3);
    EXPECT_EQ(run.frames.back()->stage, stage) << reply.text;
    EXPECT_TRUE(std::isfinite(run.frames.back()->losses.back().value));
  }
}

TEST_P(EveryMethod, AChoicePerTokenCanBePinnedAndUnpinned) {
  Harness run(config());
  run.steps(3);
  const bus::Reply reply = run.send(test::command(CommandKind::kPinAssignment));
  EXPECT_EQ(reply.done, traits().token_choice || traits().has_student) << reply.text;
  if (!reply.done) return;
  run.steps(3);
  EXPECT_TRUE(run.send(test::command(CommandKind::kUnpinAssignment)).done);
  run.steps(1);
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod, testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

}  // namespace
}  // namespace moescope
