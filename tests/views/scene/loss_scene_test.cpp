#include "views/scene/loss_scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/views/made_up_run.h"

namespace moescope::views {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Stage;

Scene draw(Stage& stage, Size size = {560, 360}) {
  LossState state;
  state.update(stage.context(), 0);
  return loss_scene(stage.context(), size, state);
}

TEST(LossScene, TextsNeverOverlapAtAnySize) {
  for (const int steps : {1, 2, 20, 100, 416}) {
    Stage stage(testing::made_up_history({.steps = steps}));
    for (const Size size : testing::canvas_sizes()) {
      stage.selection.step.reset();
      EXPECT_THAT(testing::text_faults(draw(stage, size)), IsEmpty()) << steps << " steps, " << size.w << "×" << size.h;
      stage.selection.step = steps / 2;
      EXPECT_THAT(testing::text_faults(draw(stage, size)), IsEmpty());
    }
  }
}

TEST(LossScene, CurvesEndWithTheirValueAndName) {
  Stage stage(testing::made_up_history());
  const Scene scene = draw(stage, {1200, 260});
  for (const char* part : {"bits per token", "task", "validation", "unigram", "10.4", "balance", "distillation"})
    EXPECT_NE(testing::find_text(scene, part), nullptr) << part;
  EXPECT_THAT(scene.summary, HasSubstr("Loss at step 416"));
}

TEST(LossScene, NoFigureIsCutShort) {
  Stage stage(testing::made_up_history());
  for (const Size size : testing::canvas_sizes()) {
    const Scene scene = draw(stage, size);
    for (const Text* text : testing::texts_of(scene)) {
      const bool figure = text->text.find_first_of("0123456789") == 0;
      EXPECT_FALSE(figure && text->text.ends_with("…")) << text->text << " at " << size.w << "×" << size.h;
    }
  }
}

TEST(LossScene, BoldMeanIsTheAccentLineAndRawIsPale) {
  Stage stage(testing::made_up_history());
  const Scene scene = draw(stage);
  int bold = 0, pale = 0;
  for (const Line* line : testing::shapes_of<Line>(scene)) {
    if (line->color == stage.colors.accent && line->width >= 2) ++bold;
    if (line->color.a < 255 && line->color.with_alpha(1) == stage.colors.accent) ++pale;
  }
  EXPECT_EQ(bold, 1);
  EXPECT_EQ(pale + static_cast<int>(testing::shapes_of<Band>(scene).size()) > 0, true);
}

TEST(LossScene, MarksAreThoseOfTheOtherAxes) {
  Stage stage(testing::made_up_history());
  const Scene scene = draw(stage, {1200, 260});
  EXPECT_NE(testing::find_text(scene, "switched to stage 2 at step 240 · by you"), nullptr);
  EXPECT_NE(testing::find_text(scene, "balance 0.3→0.5"), nullptr);
  EXPECT_NE(scene.find_hit("mark 336"), nullptr);
}

TEST(LossScene, LongRunsCostNoMoreThanTheirPixels) {
  Stage stage(testing::made_up_history({.steps = 6000}));
  const Scene scene = draw(stage, {600, 200});
  for (const Line* line : testing::shapes_of<Line>(scene)) EXPECT_LE(line->points.size(), 602U);
  EXPECT_GE(testing::shapes_of<Band>(scene).size(), 1U);
}

TEST(LossScene, EveryPointLiesInThePlot) {
  Stage stage(testing::made_up_history());
  for (const Size size : testing::canvas_sizes()) {
    const Scene scene = draw(stage, size);
    for (const Line* line : testing::shapes_of<Line>(scene))
      for (const Vec2& point : line->points) {
        EXPECT_GE(point.y, 0);
        EXPECT_LE(point.y, size.h);
        EXPECT_LE(point.x, size.w);
      }
  }
}

TEST(LossReadout, ReadsEveryCurveAtTheStep) {
  Stage stage(testing::made_up_history());
  const std::string text = loss_readout(stage.context(), 212);
  EXPECT_THAT(text, HasSubstr("step 212"));
  EXPECT_THAT(text, HasSubstr("validation"));
  EXPECT_THAT(text, HasSubstr("at step 200"));
  EXPECT_THAT(text, HasSubstr("balance"));
  EXPECT_THAT(text, HasSubstr("lr 0.0006"));
}

}  // namespace
}  // namespace moescope::views
