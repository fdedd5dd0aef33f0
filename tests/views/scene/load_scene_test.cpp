#include "views/scene/load_scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/views/made_up_run.h"
#include "views/scene/layer_load.h"
#include "views/scene/load_heat.h"

namespace moescope::views {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RunShape;
using testing::Stage;

Scene draw(Stage& stage, Size size = {560, 360}) {
  LoadState state;
  state.update(stage.history);
  return load_scene(stage.context(), size, state);
}

TEST(LayerLoad, StarvingExpertsCarryTheStepSinceWhen) {
  Stage stage(testing::made_up_history());
  const LayerLoad load = layer_load(stage.history, 1, 416);
  ASSERT_TRUE(load.starving_since_E[7]);
  EXPECT_EQ(*load.starving_since_E[7], 402);
  EXPECT_FALSE(load.starving_since_E[0]);
  EXPECT_EQ(starving_text(load), "E7 starves since step 402");
  EXPECT_FALSE(layer_load(stage.history, 1, 401).starving_since_E[7]);
  EXPECT_FALSE(layer_load(stage.history, 0, 416).starving_since_E[7]);
}

TEST(LayerLoad, ShortEmptinessIsChance) {
  Stage stage(testing::made_up_history({.steps = 405}));
  EXPECT_FALSE(layer_load(stage.history, 1, 405).starving_since_E[7]);
  EXPECT_TRUE(layer_load(testing::made_up_history({.steps = 406}), 1, 406).starving_since_E[7]);
}

TEST(LayerLoad, SharesAddUpAndDroppedIsOfAllPairs) {
  Stage stage(testing::made_up_history());
  const LayerLoad load = layer_load(stage.history, 1, 416);
  double sum = 0, dropped = 0;
  for (std::size_t e = 0; e < load.share_E.size(); ++e) {
    sum += load.share_E[e];
    dropped += load.share_E[e] * load.dropped_E[e];
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_NEAR(load.dropped, dropped, 1e-9);
  EXPECT_GT(load.dropped, 0.05);
}

TEST(LoadScene, TextsNeverOverlapAtAnySize) {
  for (const int experts : {4, 8, 16, 64})
    for (const int layers : {1, 3, 12}) {
      Stage stage(
          testing::made_up_history({.steps = 410, .layers = layers, .experts = experts, .capacity = 2048 / experts}));
      stage.selection.layer = layers > 1 ? 1 : 0;
      for (const Size size : testing::canvas_sizes())
        EXPECT_THAT(testing::text_faults(draw(stage, size)), IsEmpty())
            << experts << " experts, " << size.w << "×" << size.h;
    }
}

TEST(LoadScene, KeyFiguresStandInWords) {
  Stage stage(testing::made_up_history());
  const Scene scene = draw(stage, {1200, 260});
  EXPECT_NE(testing::find_text(scene, "effective experts"), nullptr);
  EXPECT_NE(testing::find_text(scene, "of 8"), nullptr);
  EXPECT_NE(testing::find_text(scene, "dropped"), nullptr);
  EXPECT_NE(testing::find_text(scene, "dead 0"), nullptr);
  EXPECT_NE(testing::find_text(scene, "switched to stage 2 at step 240 · by you"), nullptr);
  EXPECT_THAT(scene.summary, HasSubstr("Layer 2"));
}

TEST(LoadScene, StarvingExpertIsHatchedAndNamedInTheWarningColour) {
  Stage stage(testing::made_up_history());
  for (const Size size : testing::canvas_sizes()) {
    const Scene scene = draw(stage, size);
    const Text* warning = testing::find_text(scene, "E7 starves since step 402");
    ASSERT_NE(warning, nullptr) << size.w;
    EXPECT_EQ(warning->color, stage.colors.warning);
    int hatched = 0;
    for (const Box* box : testing::shapes_of<Box>(scene)) hatched += box->pattern == Box::Pattern::kHatched ? 1 : 0;
    EXPECT_EQ(hatched, 1);
  }
}

TEST(LoadScene, CapacityLineStandsAtItsMultipleOfTheFairShare) {
  Stage stage(testing::made_up_history());
  const Scene scene = draw(stage);
  const Text* text = testing::find_text(scene, "capacity 2.0");
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(text->color, stage.colors.warning);
  const Line* capacity = nullptr;
  for (const Line* line : testing::shapes_of<Line>(scene))
    if (line->color == stage.colors.warning) capacity = line;
  ASSERT_NE(capacity, nullptr);
  // What capacity keeps of the overloaded first expert ends at the line.
  float kept = 0;
  for (const Box* box : testing::shapes_of<Box>(scene))
    if (box->fill == stage.colors.expert(0, 8) && box->rect.x > 300) kept = box->rect.right();
  EXPECT_NEAR(capacity->points[0].x, kept, 3);
}

TEST(LoadScene, WithoutCapacityThereIsNoLine) {
  Stage stage(testing::made_up_history({.capacity = 0}));
  const Scene scene = draw(stage);
  EXPECT_EQ(testing::find_text(scene, "capacity"), nullptr);
  for (const Box* box : testing::shapes_of<Box>(scene)) EXPECT_NE(box->pattern, Box::Pattern::kDotted);
}

TEST(LoadScene, DroppedPartHasADottedEdge) {
  Stage stage(testing::made_up_history());
  const Scene scene = draw(stage);
  int dotted = 0;
  for (const Box* box : testing::shapes_of<Box>(scene)) dotted += box->pattern == Box::Pattern::kDotted ? 1 : 0;
  EXPECT_GE(dotted, 1);
}

TEST(LoadScene, EveryExpertHasANamedBoxAndItsColour) {
  Stage stage(testing::made_up_history(), Theme::kLight);
  const Scene scene = draw(stage);
  for (int e = 0; e < 8; ++e) {
    const HitBox* hit = scene.find_hit("expert L2·E" + std::to_string(e));
    ASSERT_NE(hit, nullptr);
    EXPECT_EQ(hit->hit.expert, e);
    EXPECT_THAT(hit->hit.tooltip, HasSubstr("before capacity"));
    bool coloured = false;
    for (const Box* box : testing::shapes_of<Box>(scene)) coloured = coloured || box->fill == stage.colors.expert(e, 8);
    EXPECT_TRUE(coloured) << e;
  }
}

TEST(LoadScene, SelectingAnExpertDimsTheOthers) {
  Stage stage(testing::made_up_history());
  stage.selection.expert = 2;
  const Scene scene = draw(stage);
  bool own = false, other = false;
  for (const Box* box : testing::shapes_of<Box>(scene)) {
    own = own || box->fill == stage.colors.expert(2, 8);
    other = other || box->fill == stage.colors.expert(3, 8);
  }
  EXPECT_TRUE(own);
  EXPECT_FALSE(other);
}

TEST(LoadScene, StaysInsideTheCanvas) {
  Stage stage(testing::made_up_history());
  for (const Size size : testing::canvas_sizes()) {
    const Scene scene = draw(stage, size);
    for (const Box* box : testing::shapes_of<Box>(scene)) {
      EXPECT_GE(box->rect.x, 0);
      EXPECT_LE(box->rect.right(), size.w);
      EXPECT_LE(box->rect.bottom(), size.h);
    }
    const Rect heat = testing::shapes_of<Picture>(scene).front()->rect;
    EXPECT_GT(heat.w, 0.3F * size.w);
    EXPECT_GT(heat.h, 0.4F * size.h);
  }
}

TEST(LoadScene, CursorShowsThatMoment) {
  Stage stage(testing::made_up_history());
  const Scene live = draw(stage);
  stage.selection.step = 212;
  const Scene then = draw(stage);
  EXPECT_NE(testing::find_text(then, "step 212"), nullptr);
  EXPECT_EQ(testing::find_text(then, "E7 starves"), nullptr);
  EXPECT_NE(live.summary, then.summary);
}

TEST(LoadScene, SaysSoWithoutExperts) {
  RunShape shape{.steps = 3, .experts = 0};
  Stage stage(testing::made_up_history(shape));
  EXPECT_NE(testing::find_text(draw(stage), "no experts"), nullptr);
}

TEST(LoadHeat, OneStarvedStepSurvivesMerging) {
  telemetry::History history;
  history.start(testing::made_up_info({.layers = 1, .experts = 4}));
  for (int step = 1; step <= 1000; ++step) {
    auto frame = std::make_shared<telemetry::TelemetryFrame>();
    frame->step = step;
    telemetry::LayerStep layer;
    layer.load_E = step == 500 ? std::vector<std::uint32_t>{0, 50, 25, 25} : std::vector<std::uint32_t>{25, 25, 25, 25};
    layer.dropped_E.assign(4, 0);
    frame->layers = {layer};
    history.add(frame);
  }
  Stage stage(history);
  const Picture picture = load_heat(stage.context(), 0, {0, 0, 100, 40});
  ASSERT_EQ(picture.width, 100);
  ASSERT_EQ(picture.height, 4);
  const std::uint32_t dead = packed(stage.colors.heat(0));
  int pixels = 0;
  for (int x = 0; x < 100; ++x) pixels += picture.rgba[static_cast<std::size_t>(x)] == dead ? 1 : 0;
  EXPECT_GE(pixels, 1);
  EXPECT_LE(pixels, 2);
}

TEST(LoadHeat, EveryPixelOfARunningStretchIsPainted) {
  for (const int steps : {1, 7, 40, 416}) {
    Stage stage(testing::made_up_history({.steps = steps}));
    const Picture picture = load_heat(stage.context(), 1, {0, 0, 339, 80});
    for (const std::uint32_t pixel : picture.rgba) ASSERT_NE(pixel, 0U) << steps;
  }
}

TEST(LoadReadout, GivesTheCellUnderThePointer) {
  Stage stage(testing::made_up_history());
  const Scene scene = draw(stage);
  const Rect heat = testing::shapes_of<Picture>(scene).front()->rect;
  const std::string text = load_readout(stage.context(), {560, 360}, 212, {heat.x + 5, heat.y + heat.h * 3.5F / 8});
  EXPECT_THAT(text, HasSubstr("L2·E3 at step 212"));
  EXPECT_THAT(text, HasSubstr("share = pairs sent to it ÷ all pairs"));
  const TimeAxis axis = load_time_axis(stage.context(), {560, 360});
  EXPECT_FLOAT_EQ(axis.plot.x, heat.x);
  EXPECT_EQ(axis.last, 416);
}

}  // namespace
}  // namespace moescope::views
