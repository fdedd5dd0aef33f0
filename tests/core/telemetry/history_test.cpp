#include "core/telemetry/history.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace moescope::telemetry {
namespace {

/// One layer of two experts; `first` of ten pairs go to expert 0.
std::shared_ptr<TelemetryFrame> frame_at(std::int64_t step, std::uint32_t first = 5) {
  auto frame = std::make_shared<TelemetryFrame>();
  frame->step = step;
  frame->losses = {{"task", static_cast<double>(step)}, {"total", 2.0}};
  LayerStep layer;
  layer.load_E = {first, 10 - first};
  layer.dropped_E = {first / 2, 0};
  frame->layers = {layer};
  return frame;
}

std::shared_ptr<ProbeSnapshot> probe_at(std::int64_t step, bool after_break = false) {
  auto probe = std::make_shared<ProbeSnapshot>();
  probe->step = step;
  probe->spacing = 10;
  probe->after_break = after_break;
  return probe;
}

std::shared_ptr<TelemetryFrame> with_probe(std::int64_t step, bool after_break = false) {
  auto frame = frame_at(step);
  frame->probe = probe_at(step, after_break);
  return frame;
}

TEST(History, IsEmptyUntilTheFirstFrame) {
  History history;
  EXPECT_EQ(history.run(), nullptr);
  EXPECT_EQ(history.latest(), nullptr);
  EXPECT_EQ(history.series("task"), nullptr);
  EXPECT_EQ(history.probe_at(5), nullptr);
  EXPECT_EQ(history.space(0), nullptr);
}

TEST(History, KeepsEveryStepsScalars) {
  History history;
  for (int step = 1; step <= 3; ++step) history.add(frame_at(step));
  ASSERT_NE(history.series("task"), nullptr);
  EXPECT_EQ(history.series("task")->step, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(history.series("task")->value, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(history.series("validation"), nullptr) << "NaN means not measured";
  ASSERT_NE(history.series("lr"), nullptr);
}

TEST(History, ASecondFrameOfTheSameStepReplacesAndNeverCountsTwice) {
  History history;
  history.add(frame_at(1, 5));
  auto again = frame_at(1, 5);
  again->losses[0].value = 9;
  again->validation_loss = 4;
  history.add(again);
  EXPECT_EQ(history.series("task")->value, (std::vector<double>{9}));
  EXPECT_EQ(history.series("validation")->value, (std::vector<double>{4}));
  EXPECT_EQ(history.loads().size(), 1U);
  EXPECT_EQ(history.loads()[0].frames, 1);
}

TEST(History, IgnoresFramesThatGoBack) {
  History history;
  history.add(frame_at(5));
  const std::uint64_t version = history.version();
  history.add(frame_at(4));
  history.add(nullptr);
  EXPECT_EQ(history.latest()->step, 5);
  EXPECT_EQ(history.version(), version);
}

TEST(History, LoadsAreSharesOfTheLayersPairs) {
  History history;
  history.add(frame_at(1, 8));
  const LoadColumn& column = history.loads().front();
  EXPECT_FLOAT_EQ(column.share_LE[0], 0.8F);
  EXPECT_FLOAT_EQ(column.share_LE[1], 0.2F);
  EXPECT_FLOAT_EQ(column.dropped_LE[0], 0.5F);
  EXPECT_FLOAT_EQ(column.dropped_LE[1], 0.0F);
}

TEST(History, AnIdleLayerHasNoShares) {
  History history;
  auto frame = frame_at(1);
  frame->layers[0].load_E = {0, 0};
  history.add(frame);
  EXPECT_FLOAT_EQ(history.loads().front().share_LE[0], 0.0F);
}

TEST(History, MergedColumnsKeepMeanLeastAndMostForAnyLength) {
  History history;
  const std::int64_t steps = static_cast<std::int64_t>(History::kMaxColumns) * 5;
  for (std::int64_t step = 1; step <= steps; ++step) history.add(frame_at(step, step == 1000 ? 0 : 5));
  EXPECT_LE(history.loads().size(), History::kMaxColumns);
  std::int64_t next = 1, frames = 0;
  bool starved = false;
  for (const LoadColumn& column : history.loads()) {
    EXPECT_EQ(column.first_step, next);
    next = column.last_step + 1;
    frames += column.frames;
    if (column.first_step <= 1000 && 1000 <= column.last_step) {
      starved = true;
      EXPECT_FLOAT_EQ(column.min_LE[0], 0.0F);
      EXPECT_FLOAT_EQ(column.max_LE[1], 1.0F);
      EXPECT_NEAR(column.share_LE[0], 0.5F * (1 - 1.0F / static_cast<float>(column.frames)), 1e-5);
    } else {
      EXPECT_FLOAT_EQ(column.share_LE[0], 0.5F);
    }
  }
  EXPECT_TRUE(starved);
  EXPECT_EQ(next, steps + 1);
  EXPECT_EQ(frames, steps);
}

TEST(History, GapsLeaveColumnsApart) {
  History history;
  history.add(frame_at(1));
  history.add(frame_at(50));
  ASSERT_EQ(history.loads().size(), 2U);
  EXPECT_EQ(history.loads()[1].first_step, 50);
}

TEST(History, LongSeriesAreThinnedAndTheNewestStay) {
  History history;
  const std::int64_t steps = static_cast<std::int64_t>(History::kMaxPoints) * 3;
  for (std::int64_t step = 1; step <= steps; ++step) {
    auto frame = frame_at(step);
    frame->layers.clear();
    history.add(frame);
  }
  const ScalarSeries& task = *history.series("task");
  EXPECT_LE(task.step.size(), History::kMaxPoints);
  EXPECT_EQ(task.step.size(), task.value.size());
  for (std::size_t i = 1; i < task.step.size(); ++i) ASSERT_LT(task.step[i - 1], task.step[i]);
  EXPECT_EQ(task.step.back(), steps);
  EXPECT_EQ(task.step[task.step.size() - 2], steps - 1);
  // The value of a step is the step itself, so a merged point lies a little before its own step.
  for (std::size_t i = 0; i < task.step.size(); ++i) ASSERT_NEAR(task.value[i], static_cast<double>(task.step[i]), 64);
}

TEST(History, FindsTheProbeAtOrBeforeAStep) {
  History history;
  for (const int step : {10, 20, 30}) history.add(with_probe(step));
  EXPECT_EQ(history.probe_at(9), nullptr);
  EXPECT_EQ(history.probe_at(10)->step, 10);
  EXPECT_EQ(history.probe_at(29)->step, 20);
  EXPECT_EQ(history.probe_at(1000)->step, 30);
}

TEST(History, ThinnedProbesKeepBreaksAndSpacing) {
  History history;
  const int count = static_cast<int>(History::kMaxProbes) * 3;
  for (int i = 1; i <= count; ++i) history.add(with_probe(10 * i, i == 101 || i == 102));
  const auto& probes = history.probes();
  EXPECT_LE(probes.size(), History::kMaxProbes);
  EXPECT_EQ(probes.back()->step, 10 * count);
  int breaks = 0;
  for (std::size_t i = 1; i < probes.size(); ++i) {
    breaks += probes[i]->after_break ? 1 : 0;
    if (!probes[i]->after_break) {
      ASSERT_EQ(probes[i]->spacing, probes[i]->step - probes[i - 1]->step) << i;
    }
  }
  EXPECT_EQ(breaks, 2);
}

TEST(History, AProbeRepeatedAtAStepReplacesUnlessABreakIsLost) {
  History history;
  history.add(with_probe(10));
  history.add(with_probe(10));
  EXPECT_EQ(history.probes().size(), 1U);
  history.add(with_probe(10, true));
  history.add(with_probe(10));
  ASSERT_EQ(history.probes().size(), 2U);
  EXPECT_TRUE(history.probes()[1]->after_break);
}

TEST(History, KeepsTheLatestSpaceOfEachLayerAndTheLatestTokens) {
  History history;
  auto frame = frame_at(1);
  auto space = std::make_shared<RouterSpace>();
  space->layer = 1;
  space->dim = 3;
  frame->spaces = {space, nullptr};
  frame->expert_tokens = {{0, 0, {"the"}, {1.0F}}};
  frame->events = {{Event::Kind::kStageSwitch, 1, "switched to stage 2", "you"}};
  history.add(frame);
  history.add(frame_at(2));
  EXPECT_EQ(history.space(0), nullptr);
  ASSERT_NE(history.space(1), nullptr);
  EXPECT_EQ(history.space(1)->dim, 3);
  EXPECT_EQ(history.space(-1), nullptr);
  EXPECT_EQ(history.expert_tokens().size(), 1U);
  EXPECT_EQ(history.events().size(), 1U);
}

TEST(History, ANewRunForgetsTheOldAndIsNewsToo) {
  History history;
  history.add(with_probe(10));
  const std::uint64_t version = history.version();
  auto run = std::make_shared<RunInfo>();
  run->name = "second";
  history.start(run);
  EXPECT_GT(history.version(), version);
  EXPECT_EQ(history.run()->name, "second");
  EXPECT_EQ(history.latest(), nullptr);
  EXPECT_TRUE(history.loads().empty());
  EXPECT_TRUE(history.probes().empty());
  history.add(frame_at(1));
  EXPECT_EQ(history.latest()->step, 1);
}

std::shared_ptr<TelemetryFrame> with_space(std::int64_t step, int layer, std::size_t floats = 3) {
  auto frame = frame_at(step);
  auto space = std::make_shared<RouterSpace>();
  space->step = step;
  space->layer = layer;
  space->vectors_SR.resize(floats);
  frame->spaces = {space};
  return frame;
}

TEST(History, FindsTheRouterSpaceOfAnEarlierStep) {
  History history;
  for (const std::int64_t step : {10, 20, 30}) history.add(with_space(step, 1));
  EXPECT_EQ(history.space_at(1, 9), nullptr);
  EXPECT_EQ(history.space_at(1, 10)->step, 10);
  EXPECT_EQ(history.space_at(1, 29)->step, 20);
  EXPECT_EQ(history.space(1)->step, 30);
  EXPECT_EQ(history.space_at(0, 29), nullptr);
  history.add(with_space(30, 1, 5));
  EXPECT_EQ(history.space(1)->vectors_SR.size(), 5U) << "the same step again replaces";
}

TEST(History, RouterSpacesStayBoundedAndTheNewestStayDense) {
  History history;
  constexpr std::size_t kFloats = 1 << 18;  // a mebibyte each
  for (std::int64_t step = 1; step <= 200; ++step) history.add(with_space(step, static_cast<int>(step % 2), kFloats));
  std::size_t kept = 0;
  const RouterSpace* before = nullptr;
  for (std::int64_t step = 1; step <= 200; ++step)
    for (const int layer : {0, 1})
      if (const RouterSpace* space = history.space_at(layer, step); space && space->step == step && space != before) {
        before = space;
        ++kept;
      }
  EXPECT_LE(kept * kFloats * sizeof(float), History::kMaxSpaceBytes);
  EXPECT_GE(kept, 30U);
  EXPECT_EQ(history.space_at(0, 200)->step, 200);
  EXPECT_EQ(history.space_at(0, 199)->step, 198);
  EXPECT_LE(history.space_at(0, 40)->step, 40);
}

TEST(History, TheSameRunGoesOnWithEverythingItHad) {
  History history;
  history.start(std::make_shared<RunInfo>());
  history.add(frame_at(1));
  auto again = std::make_shared<RunInfo>();
  again->name = "again";
  const std::uint64_t version = history.version();
  history.go_on(again);
  EXPECT_EQ(history.run()->name, "again");
  EXPECT_EQ(history.latest()->step, 1);
  EXPECT_GT(history.version(), version);
}

}  // namespace
}  // namespace moescope::telemetry
