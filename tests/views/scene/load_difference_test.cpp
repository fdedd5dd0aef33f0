// Two runs' loads as a difference: cells, colours, the switch, the words.
#include "views/scene/load_difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/views/made_up_run.h"
#include "views/scene/difference.h"
#include "views/scene/ghosts.h"
#include "views/scene/load_heat.h"
#include "views/scene/load_scene.h"

namespace moescope::views {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Stage;

using Loads = std::function<std::vector<std::uint32_t>(int step)>;

/// One layer of 4 experts; 100 pairs each make the fair share.
telemetry::History run_of(int first, int last, const Loads& loads) {
  telemetry::History history;
  history.start(testing::made_up_info({.layers = 1, .experts = 4}));
  for (int step = first; step <= last; ++step) {
    auto frame = std::make_shared<telemetry::TelemetryFrame>();
    frame->step = step;
    frame->losses = {{"task", 2.0}};
    telemetry::LayerStep layer;
    layer.load_E = loads(step);
    layer.dropped_E.assign(4, 0);
    frame->layers = {layer};
    history.add(frame);
  }
  return history;
}

std::vector<std::uint32_t> even(int) { return {100, 100, 100, 100}; }

telemetry::Ghost ghost(telemetry::History history, const std::string& name = "parent", bool same_experts = true) {
  return {name, std::make_shared<telemetry::History>(std::move(history)), same_experts};
}

Stage against(telemetry::History mine, telemetry::History other, Theme theme = Theme::kDark) {
  Stage stage(std::move(mine), theme);
  stage.selection.layer = 0;
  stage.ghosts = {ghost(std::move(other))};
  stage.selection.against = "parent";
  return stage;
}

Picture heat(Stage& stage, float width = 100) {
  return difference_heat(stage.context(), stage.ghosts.front(), stage.selection.layer, {0, 0, width, 40});
}

std::uint32_t pixel(const Picture& picture, int expert, int x) {
  return picture.rgba[static_cast<std::size_t>(expert * picture.width + x)];
}

Scene draw(Stage& stage, Size size = {560, 360}) {
  LoadState state;
  state.update(stage.history);
  return load_scene(stage.context(), size, state);
}

TEST(LoadDifference, EqualRunsAreNeutralAllOver) {
  for (const Theme theme : {Theme::kDark, Theme::kLight}) {
    Stage stage = against(testing::made_up_history(), testing::made_up_history(), theme);
    stage.selection.layer = 1;
    EXPECT_THAT(heat(stage, 339).rgba, Each(packed(stage.colors.difference(0))));
  }
}

TEST(LoadDifference, MoreIsOrangeAndFewerIsBlueWhereItHappened) {
  // Steps 41 to 60: expert 2 gets half a fair share more, expert 1 half a one fewer, expert 3 all the time as many.
  const auto planted = [](int step) {
    return step > 40 && step <= 60 ? std::vector<std::uint32_t>{100, 50, 150, 100} : even(step);
  };
  Stage stage = against(run_of(1, 100, planted), run_of(1, 100, even));
  const Picture picture = heat(stage);
  const std::uint32_t neutral = packed(stage.colors.difference(0));
  for (int x = 0; x < 100; ++x) {
    const bool inside = x >= 40 && x < 60;  // the step s lies under pixel s − 1
    EXPECT_EQ(pixel(picture, 0, x), neutral) << x;
    EXPECT_EQ(pixel(picture, 3, x), neutral) << x;
    EXPECT_EQ(pixel(picture, 1, x) == neutral, !inside) << x;
    EXPECT_EQ(pixel(picture, 2, x) == neutral, !inside) << x;
  }
  EXPECT_EQ(pixel(picture, 1, 50), packed(stage.colors.difference(-63.0 / 127)));
  EXPECT_EQ(pixel(picture, 2, 50), packed(stage.colors.difference(64.0 / 127)));
}

TEST(LoadDifference, BeyondOneFairShareTheColourStays) {
  Stage stage = against(run_of(1, 10,
                               [](int) {
                                 return std::vector<std::uint32_t>{400, 0, 0, 0};
                               }),
                        run_of(1, 10, [](int) {
                          return std::vector<std::uint32_t>{0, 400, 0, 0};
                        }));
  const Picture picture = heat(stage, 10);
  EXPECT_EQ(pixel(picture, 0, 5), packed(stage.colors.difference(1)));
  EXPECT_EQ(pixel(picture, 1, 5), packed(stage.colors.difference(-1)));
}

TEST(LoadDifference, WhereOneRunHasNoStepsTheCellIsTransparent) {
  Stage stage = against(run_of(41, 100, even), run_of(1, 80, even));  // a fork at step 40 that outlived its parent
  const Picture picture = heat(stage);
  for (int x = 0; x < 100; ++x) EXPECT_EQ(pixel(picture, 0, x) != 0, x >= 40 && x < 80) << x;
}

TEST(LoadDifference, ColumnsMergedOtherwiseAreComparedOverTheSameSteps) {
  // Twice as many steps: the shown run's columns hold two steps each, the ghost's one; every step differs from the
  // next.
  const auto flicker = [](int step) {
    return step % 2 == 0 ? std::vector<std::uint32_t>{400, 0, 0, 0} : std::vector<std::uint32_t>{0, 400, 0, 0};
  };
  constexpr int kLong = 2 * static_cast<int>(telemetry::History::kMaxColumns) - 200;
  Stage stage = against(run_of(1, kLong, flicker), run_of(1, 4000, flicker));
  ASSERT_GT(stage.history.loads()[10].frames, 1);
  ASSERT_EQ(stage.ghosts[0].history->loads()[10].frames, 1);
  for (const float width : {100.0F, 977.0F, 2.0F * kLong}) {
    const Picture picture = heat(stage, width);
    const int last = static_cast<int>(4000.0F / kLong * width) - 1;
    for (int x = 0; x < last; ++x)
      ASSERT_EQ(pixel(picture, 0, x), packed(stage.colors.difference(0))) << width << " " << x;
  }
}

TEST(LoadDifference, AMergedColumnThatIsCutCountsAsEven) {
  // The ghost has merged steps 1 and 2, and step 1 is its alone.
  const auto first_differs = [](int step) { return step == 1 ? std::vector<std::uint32_t>{400, 0, 0, 0} : even(step); };
  const telemetry::History mine = run_of(2, 10, even), other = run_of(1, 5000, first_differs);
  ASSERT_EQ(other.loads().front().last_step, 2);
  const auto pair = share_pair(mine, other, 0, {0, 10});
  ASSERT_TRUE(pair);
  EXPECT_DOUBLE_EQ(pair->over.begin, 1);
  EXPECT_DOUBLE_EQ(pair->over.end, 10);
  EXPECT_NEAR(pair->other_E[0], ((1 + 0.25) / 2 + 8 * 0.25) / 9, 1e-6);
  EXPECT_NEAR(pair->mine_E[0], 0.25, 1e-6);
  EXPECT_FALSE(share_pair(mine, other, 0, {0, 1}));
}

TEST(LoadDifference, AnotherModeOrGhostIsAnotherVersionOfThePicture) {
  Stage stage = against(run_of(1, 20, even), run_of(1, 20, even));
  stage.ghosts.push_back(ghost(run_of(1, 20, even), "sibling"));
  std::set<std::uint64_t> versions;
  for (int turn = 0; turn < 3; ++turn) {
    const Scene scene = draw(stage);
    versions.insert(testing::shapes_of<Picture>(scene).front()->version);
    stage.selection.against = next_against(stage.context());
  }
  stage.selection.against = "parent";
  stage.ghosts[0] = ghost(run_of(1, 20, even));  // the same name, read anew
  const Scene scene = draw(stage);
  versions.insert(testing::shapes_of<Picture>(scene).front()->version);
  EXPECT_EQ(versions.size(), 4U);
}

TEST(DifferenceSwitch, IsThereOnlyForAGhostWithTheSameExperts) {
  Stage stage(testing::made_up_history());
  EXPECT_EQ(draw(stage).find_hit(kDifferenceSwitch), nullptr);
  stage.ghosts = {ghost(testing::made_up_history(), "stranger", false),
                  ghost(testing::made_up_history({.experts = 4}), "smaller")};
  EXPECT_EQ(draw(stage).find_hit(kDifferenceSwitch), nullptr);
  EXPECT_FALSE(next_against(stage.context()));
  stage.selection.against = "smaller";
  EXPECT_EQ(difference_ghost(stage.context()), nullptr);
  stage.ghosts.push_back(ghost(testing::made_up_history()));
  for (const Size size : testing::canvas_sizes()) {
    const Scene scene = draw(stage, size);
    const HitBox* hit = scene.find_hit(kDifferenceSwitch);
    ASSERT_NE(hit, nullptr) << size.w;
    EXPECT_THAT(hit->hit.tooltip, HasSubstr("click for the difference to parent"));
  }
}

TEST(DifferenceSwitch, GoesThroughTheGhostsAndBack) {
  Stage stage(testing::made_up_history());
  stage.ghosts = {ghost(testing::made_up_history(), "a"), ghost(testing::made_up_history(), "stranger", false),
                  ghost(testing::made_up_history(), "b")};
  std::vector<std::string> seen;
  for (int click = 0; click < 4; ++click) {
    stage.selection.against = next_against(stage.context());
    seen.push_back(stage.selection.against.value_or("-"));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "-", "a"}));
  stage.selection.against = "gone";
  EXPECT_EQ(next_against(stage.context()), "a");
}

TEST(DifferenceInWords, StandsInThePictureAndItsSummary) {
  const auto planted = [](int step) { return step > 40 ? std::vector<std::uint32_t>{100, 50, 150, 100} : even(step); };
  Stage stage = against(run_of(1, 100, planted), run_of(1, 100, even));
  const Scene scene = draw(stage, {760, 440});
  EXPECT_NE(testing::find_text(scene, "difference to parent"), nullptr);
  EXPECT_NE(testing::find_text(scene, "+1 × fair share"), nullptr);
  EXPECT_EQ(testing::find_text(scene, "3 × fair share"), nullptr);
  EXPECT_THAT(scene.summary, HasSubstr("difference to parent, recent steps: E2 +0.5 to E1 −0.5 × the fair share"));
  stage.selection.step = 30;
  EXPECT_THAT(draw(stage).summary, HasSubstr("difference to parent, recent steps: none"));
  stage.selection.against.reset();
  EXPECT_THAT(draw(stage).summary, ::testing::Not(HasSubstr("difference")));
}

TEST(DifferenceInWords, IsThatOfTheSmoothedBarsAndTicks) {
  // Only the newest step differs: the bars, a mean with a half-life of 5 steps, differ by about an eighth of it.
  const auto last_apart = [](int step) {
    return step == 100 ? std::vector<std::uint32_t>{0, 100, 200, 100} : even(step);
  };
  Stage stage = against(run_of(1, 100, last_apart), run_of(1, 100, even));
  EXPECT_THAT(draw(stage).summary, HasSubstr("recent steps: E2 +0.129 to E0 −0.129 × the fair share"));
  const auto pair = recent_pair(stage.history, *stage.ghosts[0].history, 0, 100);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->mine_E, layer_load(stage.history, 0, 100).share_E);
}

TEST(DifferenceInWords, KeepsItsFiguresInANarrowCanvas) {
  const auto apart = [](int) { return std::vector<std::uint32_t>{50, 150, 100, 100}; };
  Stage stage = against(run_of(1, 100, apart), run_of(1, 100, even));
  EXPECT_NE(testing::find_text(draw(stage, {420, 260}), "E1 +0.5 to E0 −0.5"), nullptr);
  EXPECT_NE(testing::find_text(draw(stage, {760, 440}), "difference to parent, recent steps: E1 +0.5"), nullptr);
}

TEST(DifferenceInWords, IsOverTheStepsOfBoth) {
  const auto turned = [](int step) { return step > 40 ? std::vector<std::uint32_t>{50, 150, 100, 100} : even(step); };
  Stage fork = against(run_of(41, 60, turned), run_of(1, 100, turned));
  fork.selection.step = 42;
  EXPECT_THAT(draw(fork).summary, HasSubstr("recent steps: none")) << "before step 41 there is only the parent";
  fork.selection.step = 40;
  EXPECT_FALSE(recent_pair(fork.history, *fork.ghosts[0].history, 0, 40));
  EXPECT_FALSE(recent_pair(fork.history, *fork.ghosts[0].history, 0, 61));
}

TEST(DifferenceInWords, TextsNeverOverlapAtAnySize) {
  for (const int experts : {4, 8, 64})
    for (const int layers : {1, 3, 12}) {
      const testing::RunShape shape{.steps = 410, .layers = layers, .experts = experts, .capacity = 2048 / experts};
      Stage stage(testing::made_up_history(shape));
      stage.selection.layer = layers > 1 ? 1 : 0;
      stage.ghosts = {ghost(testing::made_up_history(shape), "1a2b3c4d · two_stage_workshop_with_a_long_name")};
      for (const bool on : {false, true}) {
        stage.selection.against = on ? std::optional(stage.ghosts[0].name) : std::nullopt;
        for (const Size size : testing::canvas_sizes())
          EXPECT_THAT(testing::text_faults(draw(stage, size)), IsEmpty())
              << experts << " experts, " << size.w << "×" << size.h;
      }
    }
}

TEST(DifferenceInWords, TheReadoutHasBothValuesAndTheDifference) {
  const auto planted = [](int) { return std::vector<std::uint32_t>{100, 50, 150, 100}; };
  Stage stage = against(run_of(41, 100, planted), run_of(1, 80, even));
  const Size size{560, 360};
  const TimeAxis axis = load_time_axis(stage.context(), size);
  const auto readout = [&](int expert, std::int64_t step) {
    const float y = axis.plot.y + axis.plot.h * (static_cast<float>(expert) + 0.5F) / 4;
    return load_readout(stage.context(), size, step, {axis.x(static_cast<double>(step) - 0.5), y});
  };
  EXPECT_THAT(readout(2, 60), HasSubstr("L1·E2 at step 60\nthis run 37.5 %, parent 25 % of the layer’s pairs\n"
                                        "difference +12.5 points, +0.5 × the fair share"));
  EXPECT_THAT(readout(1, 60), HasSubstr("−0.5 × the fair share"));
  EXPECT_THAT(readout(1, 20), HasSubstr("no difference: this run has no step here"));
  EXPECT_THAT(readout(1, 90), HasSubstr("no difference: parent has no step here"));
}

}  // namespace
}  // namespace moescope::views
