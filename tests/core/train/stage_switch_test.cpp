#include <gtest/gtest.h>

#include "core/analysis/fluctuation.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;
using Probes = std::vector<std::shared_ptr<const telemetry::ProbeSnapshot>>;

Probes probes_of(const Harness& run) {
  Probes probes;
  for (const telemetry::FramePtr& frame : run.frames) {
    if (frame->probe) probes.push_back(frame->probe);
  }
  return probes;
}

/// Fluctuation of each probe against the one before, across a break against the reference.
std::vector<double> fluctuation(const Probes& probes, std::size_t layer) {
  std::vector<double> series;
  for (std::size_t i = 1; i < probes.size(); ++i) {
    const telemetry::LayerProbe& before = probes[i - 1]->layers[layer];
    const bool judged_by_reference = probes[i]->after_break && !probes[i]->reference[layer].empty();
    series.push_back(analysis::fluctuation_between(judged_by_reference ? probes[i]->reference[layer] : before.expert_TK,
                                                   probes[i]->layers[layer].expert_TK, before.top_k)
                         .first_choice);
  }
  return series;
}

double sum(const std::vector<double>& series, std::size_t first, std::size_t last) {
  double total = 0;
  for (std::size_t i = first; i < last; ++i) total += series[i];
  return total;
}

class StageSwitch : public ::testing::TestWithParam<std::string> {};

TEST_P(StageSwitch, StopsTheFlickerExactlyAndTheStudentWithIt) {
  Harness run(test::tiny_stablemoe(20, {"moe.router.student=" + GetParam(), "train.weight_decay=0.1"}));
  run.steps(21);
  const auto student = run.checksum("moe.1.router.student");
  const auto backbone = run.checksum("moe.1.router");
  run.steps(39);
  EXPECT_EQ(run.checksum("moe.1.router.student"), student);
  EXPECT_NE(run.checksum("moe.1.router"), backbone) << "the gate's rows go on learning";
  const Probes probes = probes_of(run);
  std::size_t breaks = 0, first_after = 0;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    if (!probes[i]->after_break) continue;
    ++breaks;
    first_after = i;
    EXPECT_GT(probes[i]->step, 20);
    EXPECT_EQ(probes[i]->stage, 1);
    EXPECT_EQ(probes[i - 1]->stage, 0);
  }
  ASSERT_EQ(breaks, 1U);
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const std::vector<double> series = fluctuation(probes, layer);
    EXPECT_GT(sum(series, 0, first_after - 1), 0) << "stage 1 flickers";
    EXPECT_EQ(sum(series, first_after - 1, series.size()), 0) << "stage 2 does not, break included";
    EXPECT_GT(series.size(), first_after + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(StableMoe, StageSwitch, ::testing::Values("word", "bigram", "causal_window"),
                         [](const auto& chosen) { return chosen.param; });

TEST(StageSwitchByHand, GoesBothWaysAndTheScheduleRespectsIt) {
  Harness run(test::tiny_stablemoe(30));
  run.steps(10);
  bus::Reply reply = run.send(test::counted(CommandKind::kSwitchStage, 1));
  EXPECT_TRUE(reply.done);
  EXPECT_EQ(reply.text, "switched to stage 2, Frozen");
  EXPECT_EQ(reply.step, 10);
  run.steps(5);
  EXPECT_EQ(run.frames.back()->stage, 1) << "the schedule's stage 1 does not come back by itself";
  ASSERT_FALSE(run.frames[10]->events.empty());
  EXPECT_EQ(run.frames[10]->events[0].who, "you");
  EXPECT_EQ(run.frames[10]->events[0].kind, telemetry::Event::Kind::kStageSwitch);
  const auto student = run.checksum("moe.1.router.student");
  EXPECT_TRUE(run.send(test::counted(CommandKind::kSwitchStage, 0)).done);
  run.steps(5);
  EXPECT_EQ(run.frames.back()->stage, 0);
  EXPECT_NE(run.checksum("moe.1.router.student"), student) << "the student learns again";
  run.steps(15);
  EXPECT_EQ(run.frames.back()->stage, 1) << "step 30 is due by the schedule";
  bool told = false;
  for (const telemetry::FramePtr& frame : run.frames) {
    for (const telemetry::Event& event : frame->events) told = told || (event.who == "schedule" && event.step == 30);
  }
  EXPECT_TRUE(told);
}

TEST(StageSwitchByHand, RefusalsSayWhy) {
  Harness run(test::tiny_stablemoe(30));
  EXPECT_EQ(run.send(test::counted(CommandKind::kSwitchStage, 0)).text, "already in stage 1, Learn");
  EXPECT_EQ(run.send(test::counted(CommandKind::kSwitchStage, 2)).text, "there is no stage 3: StableMoE has 2 stages");
}

TEST(Pin, MovesOneLayerToItsStudentAndBack) {
  Harness run(test::tiny_stablemoe(1000));
  run.steps(20);
  ASSERT_EQ(run.send(test::on_layer(CommandKind::kPinAssignment, 0)).text, "assignment of L1 pinned");
  const auto student = run.checksum("moe.1.router.student");
  run.steps(30);
  EXPECT_EQ(run.checksum("moe.1.router.student"), student);
  const Probes probes = probes_of(run);
  std::size_t first_after = 0;
  while (!probes[first_after]->after_break) ++first_after;
  EXPECT_TRUE(probes[first_after]->reference[1].empty()) << "L2 is compared as usual";
  const std::vector<double> pinned = fluctuation(probes, 0), free = fluctuation(probes, 1);
  EXPECT_EQ(sum(pinned, first_after - 1, pinned.size()), 0);
  EXPECT_GT(sum(free, first_after - 1, free.size()), 0);
  EXPECT_TRUE(run.send(test::on_layer(CommandKind::kUnpinAssignment, 0)).done);
  run.steps(5);
  EXPECT_NE(run.checksum("moe.1.router.student"), student);
}

}  // namespace
}  // namespace moescope
