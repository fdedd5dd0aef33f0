// The parts all scenes share: text measures, numbers, the time axis, curves, empty states.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/views/made_up_run.h"
#include "views/scene/chips.h"
#include "views/scene/empty_scene.h"
#include "views/scene/labels.h"
#include "views/scene/loss_curves.h"
#include "views/scene/numbers.h"
#include "views/scene/text_metrics.h"
#include "views/scene/time_axis.h"

namespace moescope::views {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Stage;

TEST(TextMetrics, KnowsTheFontsWidths) {
  EXPECT_NEAR(text_width("E7", 1000), 598 + 571, 0.5);
  EXPECT_NEAR(text_width("step", 10, Text::Font::kMono), 24, 0.01);
  EXPECT_GT(text_width("Routing", 11, Text::Font::kStrong), text_width("Routing", 11));
  EXPECT_GT(text_width("Łódź über 你好", 11), 0);
  EXPECT_EQ(text_width("", 11), 0);
}

TEST(TextMetrics, CutsBetweenCharacters) {
  EXPECT_EQ(elided("validation", 11, 500), "validation");
  const std::string cut = elided("überraschend lang", 11, 50);
  EXPECT_LE(text_width(cut, 11), 50);
  EXPECT_TRUE(cut.ends_with("…"));
  EXPECT_EQ(elided("validation", 11, 3), "");
}

TEST(TextMetrics, BoxFollowsAlignmentAndRotation) {
  Text text{{100, 20}, "fair", {}, 10, Text::Align::kRight};
  EXPECT_NEAR(text_box(text).right(), 100, 0.01);
  text.align = Text::Align::kCenter;
  text.rotation_degrees = -90;
  const Rect box = text_box(text);
  EXPECT_NEAR(box.y + box.h / 2, 20, 0.01);
  EXPECT_NEAR(box.h, text_width("fair", 10), 0.01);
}

TEST(Numbers, ShowThreeSignificantDigits) {
  EXPECT_EQ(figure(9.3649), "9.36");
  EXPECT_EQ(figure(0.0041234), "0.00412");
  EXPECT_EQ(figure(12345), "12,300");
  EXPECT_EQ(figure(1024), "1,020");
  EXPECT_EQ(figure(10), "10");
  EXPECT_EQ(figure(8.5), "8.5");
  EXPECT_EQ(figure_with_zeros(8.5), "8.50");
  EXPECT_EQ(figure(-0.5), "−0.5");
  EXPECT_EQ(figure(0), "0");
  EXPECT_EQ(figure(std::nan("")), "–");
  EXPECT_EQ(exact(1234.5678), "1,234.57");
  EXPECT_EQ(exact(0.125), "0.125");
}

TEST(Numbers, SharesCarryTheirUnit) {
  EXPECT_EQ(percent(0.4), "40 %");
  EXPECT_EQ(percent(0.018), "1.8 %");
  EXPECT_EQ(percent(0), "0 %");
  EXPECT_EQ(percent(0.0001), "<0.1 %");
  EXPECT_EQ(percent(1), "100 %");
  EXPECT_EQ(step_text(1240), "step 1,240");
}

TEST(TimeAxis, MapsStepsBothWays) {
  const TimeAxis axis{{100, 0, 416, 50}, 0, 416};
  EXPECT_FLOAT_EQ(axis.x(240), 340);
  EXPECT_EQ(axis.step_at(340), 240);
  EXPECT_EQ(axis.step_at(0), 0);
  EXPECT_EQ(axis.step_at(5000), 416);
}

TEST(TimeAxis, TicksAreRoundAndFew) {
  EXPECT_THAT(round_steps(0, 416, 5), ElementsAre(0, 100, 200, 300, 400));
  EXPECT_THAT(round_values(8.2, 11.9, 4), ElementsAre(9, 10, 11));
  for (const double high : {0.013, 1.0, 7.3, 99.0, 1e6})
    for (int most = 1; most < 9; ++most) EXPECT_LE(static_cast<int>(round_values(0, high, most).size()), most) << high;
  EXPECT_THAT(round_steps(0, 3, 8), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(round_values(1, 1, 4), IsEmpty());
}

Scene marks_scene(Stage& stage, float width, int rows) {
  Scene scene;
  scene.size = {width, 100};
  const ViewContext context = stage.context();
  add_time_marks(scene, context, time_axis(context, {10, 40, width - 20, 50}), {0, rows, false});
  return scene;
}

TEST(TimeMarks, StageSwitchIsDashedStrongestAndSaysWhoAndWhen) {
  Stage stage(testing::made_up_history());
  const Scene scene = marks_scene(stage, 900, 1);
  ASSERT_NE(testing::find_text(scene, "switched to stage 2 at step 240 · by you"), nullptr);
  const auto lines = testing::shapes_of<Line>(scene);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines.back()->dashed);
  EXPECT_GT(lines.back()->width, lines.front()->width);
  EXPECT_NE(scene.find_hit("mark 88"), nullptr);
  EXPECT_EQ(scene.find_hit("mark 240")->hit.index, 240);
}

TEST(TimeMarks, TextsNeverTouchAndTheSwitchGoesFirst) {
  Stage stage(testing::made_up_history({.layers = 1}));
  for (float width = 120; width < 1000; width += 37)
    for (const int rows : {1, 2, 3}) {
      const Scene scene = marks_scene(stage, width, rows);
      EXPECT_THAT(testing::text_faults(scene), IsEmpty()) << width;
      EXPECT_EQ(testing::shapes_of<Line>(scene).size(), 3U);
    }
  EXPECT_NE(testing::find_text(marks_scene(stage, 160, 1), "stage 2"), nullptr);
}

TEST(TimeMarks, NoLineRunsThroughATextAboveThePlot) {
  Stage stage(testing::made_up_history({.layers = 1}));
  for (float width = 120; width < 1000; width += 17) {
    const Scene scene = marks_scene(stage, width, 2);
    for (const Line* line : testing::shapes_of<Line>(scene))
      for (const Text* text : testing::texts_of(scene)) {
        const Rect box = text_box(*text);
        const bool beside = line->points[0].x < box.x || line->points[0].x > box.right();
        EXPECT_TRUE(beside || line->points[0].y > box.bottom() - 2) << text->text << " at width " << width;
      }
  }
}

TEST(StepLabels, ShowTheCursorAndNeverTouch) {
  Stage stage(testing::made_up_history());
  for (float width = 60; width < 1200; width += 41)
    for (const std::int64_t step : {0, 3, 200, 400, 416}) {
      stage.selection.step = step;
      Scene scene;
      scene.size = {width + 20, 20};
      const ViewContext context = stage.context();
      add_step_labels(scene, context, time_axis(context, {10, 0, width, 10}), 2);
      EXPECT_THAT(testing::text_faults(scene), IsEmpty()) << width << " " << step;
      EXPECT_EQ(testing::texts_of(scene).front()->text, step_text(step));
    }
}

TEST(Curves, MeanOfAConstantIsThatConstantFromTheStart) {
  telemetry::ScalarSeries series{"task", {}, {}};
  for (int step = 1; step <= 100; step += step % 7 == 0 ? 9 : 1) {
    series.step.push_back(step);
    series.value.push_back(2.5);
  }
  const CurveColumns columns = curve_columns(series, {{0, 0, 30, 10}, 0, 100}, 2, 10);
  for (std::size_t i = 0; i < columns.x.size(); ++i) EXPECT_DOUBLE_EQ(columns.mean[i], 5);
  EXPECT_FALSE(columns.thin);
}

TEST(Curves, HalfLifeCountsSteps) {
  telemetry::ScalarSeries series{"task", {0, 10}, {0, 1}};
  // Weights ½ and 1 after one half-life: the mean is 2⁄3.
  EXPECT_NEAR(smoothed_at(series, 10, 10), 2.0 / 3, 1e-12);
  EXPECT_NEAR(smoothed_at(series, 9, 10), 0, 1e-12);
  EXPECT_EQ(value_at(series, 9).step, 0);
  EXPECT_EQ(value_at(series, -1).step, -1);
}

TEST(Curves, PixelColumnsKeepSpikes) {
  telemetry::ScalarSeries series{"task", {}, {}};
  for (int step = 1; step <= 10000; ++step) {
    series.step.push_back(step);
    series.value.push_back(step == 5000 ? 9 : 1);
  }
  const CurveColumns columns = curve_columns(series, {{0, 0, 100, 10}, 0, 10000}, 1, 10);
  EXPECT_LE(columns.x.size(), 101U);
  EXPECT_EQ(*std::max_element(columns.high.begin(), columns.high.end()), 9);
}

TEST(AxisLimits, GrowAtOnceAndShrinkLate) {
  AxisLimits limits;
  limits.follow(0, 10, 0.1);
  limits.follow(-5, 20, 0.1);
  EXPECT_EQ(limits.low, -5);
  EXPECT_EQ(limits.high, 20);
  for (int i = 0; i < 19; ++i) limits.follow(0, 10, 0.1);
  EXPECT_EQ(limits.high, 20);
  for (int i = 0; i < 40; ++i) limits.follow(0, 10, 0.1);
  EXPECT_NEAR(limits.high, 10, 0.3);
}

TEST(WaitingScene, SaysWhatWillAppearAndWhatToDo) {
  Stage stage{telemetry::History{}};
  for (const Size size : testing::canvas_sizes()) {
    stage.status = {};
    auto scene = waiting_scene(stage.context(), size, "Load", "How evenly the experts are used.");
    ASSERT_TRUE(scene);
    EXPECT_NE(testing::find_text(*scene, "Start a run"), nullptr);
    EXPECT_THAT(testing::text_faults(*scene), IsEmpty());
    stage.status.activity = "rendering manual pages";
    stage.status.progress = 0.43;
    scene = waiting_scene(stage.context(), size, "Load", "How evenly the experts are used.");
    EXPECT_NE(testing::find_text(*scene, "rendering manual pages · 43 %"), nullptr);
    EXPECT_EQ(testing::shapes_of<Box>(*scene).size(), 2U);
    stage.status.state = bus::RunState::kFailed;
    stage.status.failure = {12, "backward", "the loss is not a number"};
    scene = waiting_scene(stage.context(), size, "Load", "How evenly the experts are used.");
    EXPECT_NE(testing::find_text(*scene, "step 12, phase backward"), nullptr);
    EXPECT_EQ(testing::find_text(*scene, "the loss is not a number"), nullptr) << "the banner says it once";
    EXPECT_THAT(scene->summary, ::testing::HasSubstr("the loss is not a number")) << "a reader hears one picture only";
    EXPECT_THAT(testing::text_faults(*scene), IsEmpty());
  }
}

TEST(WaitingScene, IsGoneWithTheFirstFrame) {
  Stage stage(testing::made_up_history({.steps = 1}));
  EXPECT_FALSE(waiting_scene(stage.context(), {300, 200}, "Load", "x"));
}

TEST(LayerChooser, MarksTheSelectedLayerAndShrinksWhenNarrow) {
  Stage stage(testing::made_up_history({.steps = 2, .layers = 12}));
  Scene wide, narrow;
  wide.size = narrow.size = {600, 24};
  EXPECT_GT(add_layer_chooser(wide, stage.context(), {600, 2}, 600), 200);
  EXPECT_NE(wide.find_hit("layer L12"), nullptr);
  EXPECT_EQ(wide.find_hit("layer L12")->hit.layer, 11);
  EXPECT_LT(add_layer_chooser(narrow, stage.context(), {600, 2}, 120), 120);
  EXPECT_NE(narrow.find_hit("layer after"), nullptr);
  EXPECT_THAT(testing::text_faults(wide), IsEmpty());
}

TEST(ShortNumbers, AreOnlyThoseWithMoreThanSixDigits) {
  EXPECT_EQ(with_short_numbers("was 0.002512566719800475, is 12.5"), "was 0.00251257, is 12.5");
  EXPECT_EQ(with_short_numbers("-1.23456789e-07."), "-1.23457e-07.");
  EXPECT_EQ(with_short_numbers("Δ task −0.04 bits after 50 steps"), "Δ task −0.04 bits after 50 steps");
  EXPECT_EQ(with_short_numbers("step 12345678"), "step 12345678") << "a count is exact";
  EXPECT_EQ(with_short_numbers("saved in /runs/a-1.23456789/w.2.3456789x"), "saved in /runs/a-1.23456789/w.2.3456789x");
}

TEST(Chips, MakeWhiteSpaceVisible) {
  EXPECT_EQ(visible_token(" the"), "the");
  EXPECT_EQ(visible_token(" "), "·");
  EXPECT_EQ(visible_token("\n"), "↵");
  EXPECT_EQ(visible_token("  "), "··");
  EXPECT_EQ(visible_token("\\x0A\\x09 if"), "↵⇥ if") << "as a byte token comes";
  EXPECT_EQ(visible_token("\\x0D\\x0A"), "↵");
  EXPECT_EQ(visible_token("\\xC3"), "\\xC3") << "half a letter has no sign";
  EXPECT_EQ(visible_token("\xC3"), "\\xC3");
}

TEST(Signs, KeepTheSpacesOfATooltip) {
  EXPECT_EQ(with_signs(" the"), " the");
  EXPECT_EQ(with_signs(" a\r\n\tb"), " a↵⇥b");
  EXPECT_EQ(with_signs("\\x0A\\x09"), "↵⇥") << "as a byte token comes";
  EXPECT_EQ(with_signs("\x1B[31m"), "\\x1B[31m");
}

}  // namespace
}  // namespace moescope::views
