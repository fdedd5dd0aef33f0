#include "core/train/probe.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/train/probe_pace.h"
#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;

TEST(Frame, CarriesEveryStepsLossesAndLoads) {
  Harness run(test::tiny_stablemoe(1000));
  run.steps(2);
  const telemetry::TelemetryFrame& frame = *run.frames.back();
  EXPECT_EQ(frame.step, 2);
  ASSERT_EQ(frame.losses.size(), 4U);
  EXPECT_EQ(frame.losses[0].name, "task");
  EXPECT_EQ(frame.losses[3].name, "total");
  EXPECT_NEAR(frame.losses[0].value + frame.losses[1].value + frame.losses[2].value, frame.losses[3].value, 1e-5);
  ASSERT_EQ(frame.layers.size(), 2U);
  for (const telemetry::LayerStep& layer : frame.layers) {
    std::uint32_t load = 0, margins = 0;
    for (const std::uint32_t count : layer.load_E) load += count;
    for (const std::uint32_t count : layer.margin_histogram) margins += count;
    EXPECT_EQ(load, 64U);
    EXPECT_EQ(margins, 64U);
    EXPECT_EQ(layer.auxiliary_losses.size(), 2U);
    EXPECT_GE(layer.student_agreement, 0);
    EXPECT_LE(layer.router_entropy, std::log(4.0) + 1e-5);
    EXPECT_FALSE(layer.dropped_E.empty());
  }
  EXPECT_GT(frame.tokens_per_second, 0);
  EXPECT_GT(frame.step_ms, 0);
  EXPECT_GT(frame.watch_ms, 0);
  EXPECT_GT(frame.grad_norm, 0);
}

TEST(Frame, ValidationIsMeasuredAtItsCadence) {
  Harness run(test::tiny_config("switch"));
  run.steps(21);
  EXPECT_TRUE(std::isnan(run.frames[18]->validation_loss));
  EXPECT_GT(run.frames[19]->validation_loss, 0);
  EXPECT_TRUE(std::isnan(run.frames[20]->validation_loss));
}

TEST(Probe, ComesAtTheFirstStepAndThenAtItsSpacing) {
  Harness run(test::tiny_config("smoe", {"moe.router.top_k=2"}));
  run.steps(5);
  ASSERT_TRUE(run.frames[0]->probe);
  EXPECT_FALSE(run.frames[1]->probe);
  ASSERT_TRUE(run.frames[4]->probe);
  const telemetry::ProbeSnapshot& probe = *run.frames[4]->probe;
  EXPECT_EQ(probe.spacing, 4);
  EXPECT_FALSE(probe.after_break);
  ASSERT_EQ(probe.layers.size(), 2U);
  EXPECT_EQ(probe.layers[0].top_k, 2);
  EXPECT_EQ(probe.layers[0].expert_TK.size(), 128U);
  EXPECT_EQ(probe.layers[0].margin_T.size(), 64U);
  EXPECT_TRUE(probe.layers[0].student_T.empty());
}

TEST(Probe, EveryMethodFillsIt) {
  for (const moe::Method& method : moe::methods()) {
    Harness run(test::tiny_config(method.info.id));
    run.steps(1);
    const telemetry::ProbeSnapshot& probe = *run.frames[0]->probe;
    for (const telemetry::LayerProbe& layer : probe.layers) {
      EXPECT_EQ(layer.expert_TK.size(), 64U * static_cast<std::size_t>(layer.top_k)) << method.info.id;
      EXPECT_EQ(layer.margin_T.size(), 64U) << method.info.id;
      EXPECT_EQ(layer.student_T.empty(), !method.info.traits.has_student) << method.info.id;
    }
  }
}

TEST(Probe, RunInfoNamesItsTokens) {
  Harness run(test::tiny_config("switch"));
  const auto info = run.channels->runs.try_pop();
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ((*info)->probe.size(), 64U);
  EXPECT_EQ((*info)->probe[17].sequence, 1);
  EXPECT_EQ((*info)->probe[17].position, 1);
  EXPECT_EQ((*info)->probe[0].text, "<" + std::to_string((*info)->probe[0].id) + ">");
  EXPECT_EQ((*info)->corpus, "tiny · 01234567");
  EXPECT_EQ((*info)->num_layers, 2);
  EXPECT_EQ((*info)->tokens_per_step, 64);
}

TEST(Streams, AreMadeOnlyWhenWanted) {
  Harness run(test::tiny_config("switch", {"moe.router.router_dim=3"}));
  run.steps(1);
  EXPECT_TRUE(run.frames[0]->spaces.empty());
  EXPECT_TRUE(run.frames[0]->expert_tokens.empty());
  bus::Command watch = test::command(CommandKind::kWatch);
  watch.wants = {true, 0b10};
  EXPECT_TRUE(run.send(watch).done);
  run.steps(9);
  const telemetry::TelemetryFrame& frame = *run.frames[4];
  ASSERT_EQ(frame.spaces.size(), 1U);
  const telemetry::RouterSpace& space = *frame.spaces[0];
  EXPECT_EQ(space.layer, 1);
  EXPECT_EQ(space.dim, 3);
  EXPECT_EQ(space.vectors_SR.size(), 64U * 3);
  EXPECT_EQ(space.rows_ER.size(), 4U * 3);
  EXPECT_EQ(space.expert_S[5], frame.probe->layers[1].expert_TK[5]);
  EXPECT_EQ(frame.expert_tokens.size(), 8U) << "2 layers × 4 experts";
}

TEST(Streams, AnUnwatchedRunHasNoProbe) {
  Harness run(test::tiny_config("switch"), /*watched=*/false);
  run.steps(6);
  for (const telemetry::FramePtr& frame : run.frames) {
    EXPECT_FALSE(frame->probe);
    EXPECT_EQ(frame->layers.size(), 2U);
  }
}

TEST(ProbePace, DoublesWhileWatchingCostsOverTwoPercentAndStopsAtSixteenTimes) {
  train::ProbePace pace(10);
  EXPECT_TRUE(pace.due(1));
  EXPECT_TRUE(pace.due(10));
  EXPECT_FALSE(pace.due(15));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(pace.add(100, 3, true)) << "too early to judge";
  EXPECT_TRUE(pace.add(100, 3, true));
  EXPECT_EQ(pace.spacing(), 20);
  for (int i = 0; i < 8; ++i) EXPECT_FALSE(pace.add(100, 1.9, true));
  for (int i = 0; i < 100; ++i) pace.add(100, 50, true);
  EXPECT_EQ(pace.spacing(), 160);
}

}  // namespace
}  // namespace moescope
