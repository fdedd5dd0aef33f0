// Other runs behind the shown one: in the loss curves, the settled share, the load bars, the time axis.
#include "views/scene/ghosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/views/made_up_run.h"
#include "tests/views/scene/probe_run.h"
#include "views/scene/fluctuation_scene.h"
#include "views/scene/load_scene.h"
#include "views/scene/loss_scene.h"

namespace moescope::views {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Stage;

telemetry::Ghost ghost(const std::string& name, int steps, bool same_experts = true) {
  return {name, std::make_shared<telemetry::History>(testing::made_up_history({.steps = steps})), same_experts};
}

Scene draw_loss(Stage& stage, Size size = {900, 360}) {
  LossState state;
  state.update(stage.context(), 0);
  return loss_scene(stage.context(), size, state);
}

int dashed_curves(const Scene& scene) {
  int found = 0;
  for (const Line* line : testing::shapes_of<Line>(scene))
    if (line->dashed && line->points.size() > 2) ++found;
  return found;
}

TEST(Ghosts, TheAxisReachesToTheNewestOfAll) {
  Stage stage(testing::made_up_history({.steps = 100}));
  EXPECT_EQ(time_axis(stage.context(), {0, 0, 100, 10}).last, 100);
  stage.ghosts = {ghost("parent", 300)};
  EXPECT_EQ(time_axis(stage.context(), {0, 0, 100, 10}).last, 300);
}

TEST(Ghosts, OneIsGreyAndSeveralEachHaveAColour) {
  Stage stage(testing::made_up_history({.steps = 100}));
  stage.ghosts = {ghost("a", 50)};
  EXPECT_EQ(ghost_color(stage.context(), 0), stage.colors.muted);
  stage.ghosts = {ghost("a", 50), ghost("b", 60)};
  EXPECT_FALSE(ghost_color(stage.context(), 0) == ghost_color(stage.context(), 1));
  for (const std::size_t i : {0U, 1U}) EXPECT_FALSE(ghost_color(stage.context(), i) == stage.colors.accent);
}

TEST(Ghosts, ALossCurveIsDashedThinAndNamedAtItsEnd) {
  Stage stage(testing::made_up_history({.steps = 200}));
  EXPECT_EQ(dashed_curves(draw_loss(stage)), 0);
  stage.ghosts = {ghost("20261128-parent", 416)};
  const Scene scene = draw_loss(stage);
  EXPECT_EQ(dashed_curves(scene), 1);
  EXPECT_NE(testing::find_text(scene, "20261128-parent"), nullptr);
  EXPECT_THAT(loss_readout(stage.context(), 150), HasSubstr("20261128-parent"));
  EXPECT_THAT(scene.summary, HasSubstr("20261128-parent"));
}

TEST(Ghosts, LeaveEveryTextInItsPlaceAtAnySize) {
  for (const int others : {1, 3}) {
    Stage stage(testing::made_up_history({.steps = 200}));
    for (int i = 0; i < others; ++i)
      stage.ghosts.push_back(ghost("20261128T101502Z-two_stage_workshop-1a2b3c4d" + std::to_string(i), 300 + i));
    for (const Size size : testing::canvas_sizes()) {
      EXPECT_THAT(testing::text_faults(draw_loss(stage, size)), IsEmpty()) << others << " " << size.w << "×" << size.h;
      LoadState load;
      load.update(stage.history);
      EXPECT_THAT(testing::text_faults(load_scene(stage.context(), size, load)), IsEmpty());
    }
  }
}

TEST(Ghosts, ALoadBarHasATickWhereTheOtherRunStands) {
  Stage stage(testing::made_up_history({.steps = 200}));
  stage.ghosts = {ghost("parent", 300)};
  LoadState state;
  state.update(stage.history);
  const auto ticks = [&] {
    int found = 0;
    const Scene scene = load_scene(stage.context(), {560, 360}, state);
    for (const Line* line : testing::shapes_of<Line>(scene))
      if (line->width == 2 && line->color == stage.colors.muted) ++found;
    return found;
  };
  EXPECT_EQ(ticks(), 8);
  stage.ghosts = {ghost("stranger", 300, false)};
  EXPECT_EQ(ticks(), 0) << "its experts are others";
}

TEST(Ghosts, TheSettledShareIsDrawnBesideThisRuns) {
  ProbeScene scene;
  scene.history.start(probe_run_info());
  for (const int step : {10, 20, 30})
    scene.history.add(probe_frame(step, {probe_layer({0, static_cast<std::int16_t>(step == 30 ? 1 : 2), 2, 0})}));
  const auto other = std::make_shared<telemetry::History>(scene.history);
  const std::vector<telemetry::Ghost> ghosts{{"parent", other, true}};
  ViewContext context = scene.context();
  context.ghosts = ghosts;
  const SettledCurve curve = settled_curve(*other, 0);
  EXPECT_EQ(curve.step_C, (std::vector<std::int64_t>{10, 20, 30}));
  EXPECT_DOUBLE_EQ(curve.share_C.back(), 1);
  EXPECT_DOUBLE_EQ(curve.share_C[1], 0.75) << "the fourth is elsewhere until the probe of step 30";
  const FluctuationRows rows = fluctuation_rows(scene.history, 0, 30, RowOrder::kLastChange);
  const std::vector<SettledCurve> curves{curve};
  const Scene drawn = fluctuation_scene(context, {900, 500}, rows, RowOrder::kLastChange, 1, curves);
  EXPECT_EQ(dashed_curves(drawn), 1);
  EXPECT_NE(testing::find_text(drawn, "parent"), nullptr);
  EXPECT_THAT(testing::text_faults(drawn), IsEmpty());
}

}  // namespace
}  // namespace moescope::views
