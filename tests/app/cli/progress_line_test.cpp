#include "app/cli/progress_line.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "app/cli/terminal.h"

namespace moescope::cli {
namespace {

TEST(ProgressLine, SaysWhereTheRunIs) {
  ProgressFacts facts;
  facts.step = 340;
  facts.total_steps = 1200;
  facts.steps_per_second = 10;
  facts.stage = "Learn";
  facts.task_nats = 5.25 * std::numbers::ln2;
  facts.effective_experts = 7.24;
  facts.num_experts = 8;
  EXPECT_EQ(progress_line(facts, 80),
            "340/1,200 [██░░░░░░] 28 %  5.25 bits/token  10.0 steps/s  1 min 26 s left  Learn  7.2 of 8 experts");
}

TEST(ProgressLine, LeavesOutWhatIsNotKnown) {
  ProgressFacts facts;
  facts.total_steps = 30;
  facts.task_nats = facts.effective_experts = std::nan("");
  EXPECT_EQ(progress_line(facts, 80), "0/30 [░░░░░░░░] 0 %");
}

TEST(ProgressLine, EffectiveExpertsAreTheMeanOverLayers) {
  telemetry::TelemetryFrame frame;
  EXPECT_TRUE(std::isnan(effective_experts(frame)));
  frame.layers.resize(2);
  frame.layers[0].load_E = {5, 5, 5, 5};
  frame.layers[1].load_E = {20, 0, 0, 0};
  EXPECT_NEAR(effective_experts(frame), 2.5, 1e-12);
  frame.layers[1].load_E = {0, 0, 0, 0};
  EXPECT_NEAR(effective_experts(frame), 4, 1e-12);
}

TEST(Durations, AreReadAtAGlance) {
  EXPECT_EQ(duration_text(-1), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 5 min");
}

TEST(Bar, IsFullOnlyAtTheEnd) {
  EXPECT_EQ(bar(0, 4), "[░░░░]");
  EXPECT_EQ(bar(0.5, 4), "[██░░]");
  EXPECT_EQ(bar(1, 4), "[████]");
  EXPECT_EQ(bar(9, 4), "[████]");
}

}  // namespace
}  // namespace moescope::cli
