// The probe of two runs: which tokens go elsewhere.
#include "views/scene/fluctuation_difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/views/made_up_run.h"
#include "tests/views/scene/probe_run.h"
#include "views/scene/difference.h"

namespace moescope::views {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ProbeDifference : public ::testing::Test {
 protected:
  ProbeDifference() {
    // Token 1 goes elsewhere from step 20 on, token 3 at step 30 only; the other run ends at step 30.
    const std::int16_t mine[4][4] = {{0, 0, 0, 0}, {1, 2, 2, 2}, {2, 2, 2, 2}, {0, 0, 1, 0}};
    const std::int16_t other[4][3] = {{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {0, 0, 0}};
    scene_.history.start(probe_run_info());
    for (int c = 0; c < 4; ++c)
      scene_.history.add(probe_frame(10 * (c + 1), {probe_layer({mine[0][c], mine[1][c], mine[2][c], mine[3][c]})}));
    auto history = std::make_shared<telemetry::History>();
    history->start(probe_run_info());
    for (int c = 0; c < 3; ++c)
      history->add(probe_frame(10 * (c + 1), {probe_layer({other[0][c], other[1][c], other[2][c], other[3][c]})}));
    ghosts_ = {{"parent", history, true}};
    scene_.selection.against = "parent";
  }
  ViewContext context(Theme theme = Theme::kDark) {
    ViewContext made = scene_.context(theme);
    made.ghosts = ghosts_;
    return made;
  }
  FluctuationRows rows(std::int64_t until = 40) const {
    return fluctuation_rows(scene_.history, 0, until, RowOrder::kLastChange);
  }
  Picture raster(const FluctuationRows& rows) {
    const auto difference = chosen_difference(context(), rows);
    return fluctuation_raster(rows, context(), {0, 0, 40, 40}, 0, 40, difference ? &*difference : nullptr);
  }
  Scene draw(const FluctuationRows& rows, Size size = {900, 500}) {
    const auto difference = chosen_difference(context(), rows);
    const std::vector<SettledCurve> curves{settled_curve(*ghosts_[0].history, 0)};
    return fluctuation_scene(context(), size, rows, RowOrder::kLastChange, 1, curves,
                             difference ? &*difference : nullptr);
  }
  ProbeScene scene_;
  std::vector<telemetry::Ghost> ghosts_;
};

TEST_F(ProbeDifference, IsTheShareOfTokensAtAnotherExpert) {
  const auto difference = chosen_difference(context(), rows());
  ASSERT_TRUE(difference);
  EXPECT_DOUBLE_EQ(difference->elsewhere_C[0], 0);
  EXPECT_DOUBLE_EQ(difference->elsewhere_C[1], 0.25);
  EXPECT_DOUBLE_EQ(difference->elsewhere_C[2], 0.5);
  EXPECT_TRUE(std::isnan(difference->elsewhere_C[3])) << "the other run has ended";
  EXPECT_EQ(difference->step_C, (std::vector<std::int64_t>{10, 20, 30, -1}));
}

TEST_F(ProbeDifference, OnlyTokensThatGoElsewhereKeepTheirColour) {
  const FluctuationRows shown = rows();
  const Picture picture = raster(shown);
  const Palette& colors = context().palette;
  const auto at = [&](int token, int x) {
    const auto row = std::find(shown.order_M.begin(), shown.order_M.end(), token) - shown.order_M.begin();
    return picture.rgba[static_cast<std::size_t>(row * picture.width + x)];
  };
  const std::uint32_t same = packed(colors.difference(0));
  EXPECT_EQ(at(1, 25), packed(colors.expert(2, 3)));
  EXPECT_EQ(at(1, 15), same);
  EXPECT_EQ(at(0, 25), same);
  EXPECT_EQ(at(3, 35), packed(colors.expert(1, 3)));
  EXPECT_EQ(at(3, 25), same);
  for (int token = 0; token < 4; ++token) EXPECT_EQ(at(token, 5), 0U) << "before the first probe";
}

TEST_F(ProbeDifference, BeyondTheOtherRunsEndNothingIsKnown) {
  scene_.history.add(probe_frame(60, {probe_layer({0, 2, 2, 0})}));
  const FluctuationRows shown = rows(60);
  const auto difference = chosen_difference(context(), shown);
  const Picture picture = fluctuation_raster(shown, context(), {0, 0, 60, 40}, 0, 60, &*difference);
  for (int row = 0; row < 4; ++row) EXPECT_EQ(picture.rgba[static_cast<std::size_t>(row * 60 + 50)], 0U);
}

TEST_F(ProbeDifference, EqualRunsAreNeutralAllOver) {
  ghosts_ = {{"parent", std::make_shared<telemetry::History>(scene_.history), true}};
  const auto shown = rows();
  const auto difference = chosen_difference(context(), shown);
  const Picture picture = fluctuation_raster(shown, context(), {0, 0, 30, 40}, 10, 40, &*difference);
  EXPECT_THAT(picture.rgba, Each(packed(context().palette.difference(0))));
  EXPECT_THAT(draw(shown).summary, HasSubstr("0 % of the probe tokens go to another expert than in parent"));
}

TEST_F(ProbeDifference, OtherProbeTokensAreSaidAndTheViewStaysAsItIs) {
  auto info = probe_run_info();
  info->probe[2].id = 7;
  auto history = std::make_shared<telemetry::History>(*ghosts_[0].history);
  history->go_on(info);
  ghosts_ = {{"parent", history, true}};
  EXPECT_EQ(difference_obstacle(context()), "its probe has other tokens");
  EXPECT_FALSE(chosen_difference(context(), rows()));
  const Scene scene = draw(rows());
  const HitBox* hit = scene.find_hit(kDifferenceSwitch);
  ASSERT_NE(hit, nullptr);
  EXPECT_THAT(hit->hit.tooltip, HasSubstr("not in this view: its probe has other tokens"));
  history->go_on(probe_run_info(6));
  EXPECT_EQ(difference_obstacle(context()), "its probe has 6 tokens, this one 4");
  scene_.selection.against.reset();
  EXPECT_EQ(difference_obstacle(context()), "");
}

TEST_F(ProbeDifference, TheWordsSayHowManyGoElsewhereNow) {
  const Scene scene = draw(rows(30));
  EXPECT_NE(testing::find_text(scene, "50 % of the probe tokens go to another expert than in parent"), nullptr);
  EXPECT_THAT(scene.summary, HasSubstr("50 % of the probe tokens go to another expert"));
  EXPECT_THAT(draw(rows(40)).summary, HasSubstr("parent has no probe here"));
}

TEST_F(ProbeDifference, TextsNeverOverlapAtAnySize) {
  ghosts_[0].name = "1a2b3c4d · two_stage_workshop_with_a_long_name";
  for (const bool on : {false, true}) {
    scene_.selection.against = on ? std::optional(ghosts_[0].name) : std::nullopt;
    for (const Size size : testing::canvas_sizes())
      EXPECT_THAT(testing::text_faults(draw(rows(), size)), IsEmpty()) << size.w << "×" << size.h;
  }
}

}  // namespace
}  // namespace moescope::views
