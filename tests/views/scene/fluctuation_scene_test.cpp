#include "views/scene/fluctuation_scene.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/views/scene/probe_run.h"

namespace moescope::views {
namespace {

// The rows of the StableMoE oracle: tokens A B C D at steps 500 … 2500.
class Fluctuation : public ::testing::Test {
 protected:
  Fluctuation() {
    const std::int16_t rows[4][5] = {{0, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 1, 1, 2, 2}, {1, 1, 1, 1, 0}};
    scene_.history.start(probe_run_info());
    for (int c = 0; c < 5; ++c)
      scene_.history.add(probe_frame(500 * (c + 1), {probe_layer({rows[0][c], rows[1][c], rows[2][c], rows[3][c]})}));
  }
  ProbeScene scene_;
};

TEST_F(Fluctuation, MatchesTheOracleOfLastFluctuation) {
  const FluctuationRows rows = fluctuation_rows(scene_.history, 0, 2500, RowOrder::kLastChange);
  EXPECT_EQ(rows.last_change_M, (std::vector<std::int64_t>{0, 1000, 1500, 2000}));
  EXPECT_EQ(rows.fluctuation_C, (std::vector<double>{0, 0.5, 0.25, 0.25, 0.25}));
  EXPECT_DOUBLE_EQ(share_elsewhere_after(rows, 500), 0.75);
  EXPECT_DOUBLE_EQ(share_elsewhere_after(rows, 1250), 0.5);
  EXPECT_DOUBLE_EQ(share_elsewhere_after(rows, 2000), 0);
}

TEST_F(Fluctuation, TheSettledCurveRisesWhereTheRasterChangesForTheLastTime) {
  const ViewContext context = scene_.context();
  const FluctuationRows rows = fluctuation_rows(scene_.history, 0, 2500, RowOrder::kLastChange);
  const Picture raster = fluctuation_raster(rows, context, {0, 0, 100, 40}, 0, 2500);
  // From the column under each probe on, how many rows keep the colour they end with.
  const auto keep_their_colour = [&](int from) {
    int kept = 0;
    for (int row = 0; row < raster.height; ++row) {
      const auto* begin = raster.rgba.data() + row * raster.width;
      kept += std::count(begin + from, begin + raster.width, begin[raster.width - 1]) == raster.width - from ? 1 : 0;
    }
    return kept / 4.0;
  };
  const SettledCurve curve = settled_curve(scene_.history, 0);
  ASSERT_EQ(curve.share_C.size(), 5U);
  for (int c = 0; c < 5; ++c) EXPECT_DOUBLE_EQ(curve.share_C[c], keep_their_colour(20 * (c + 1) - 1)) << c;
  EXPECT_EQ(curve.share_C, (std::vector<double>{0.25, 0.25, 0.5, 0.75, 1}));
}

TEST_F(Fluctuation, SortsCalmRowsFirst) {
  const FluctuationRows rows = fluctuation_rows(scene_.history, 0, 2500, RowOrder::kLastChange);
  EXPECT_EQ(rows.order_M, (std::vector<std::int32_t>{0, 1, 2, 3}));
  const FluctuationRows by_class = fluctuation_rows(scene_.history, 0, 2500, RowOrder::kTokenClass);
  EXPECT_EQ(by_class.order_M, (std::vector<std::int32_t>{0, 2, 1, 3}));
}

TEST_F(Fluctuation, ShowsNothingAfterTheTimeCursor) {
  const FluctuationRows rows = fluctuation_rows(scene_.history, 0, 1500, RowOrder::kLastChange);
  EXPECT_EQ(rows.step_C, (std::vector<std::int64_t>{500, 1000, 1500}));
}

TEST(FluctuationAcrossASwitch, ComparesWithTheStudentsChoiceBeforeIt) {
  ProbeScene scene;
  scene.history.start(probe_run_info());
  scene.history.add(probe_frame(10, {probe_layer({0, 1, 2, 0})}));
  // The student chooses otherwise than the router did, but as it chose just before the switch: nothing fluctuated.
  scene.history.add(probe_frame(20, {probe_layer({2, 2, 2, 2})}, 1, {{2, 2, 2, 2}}));
  scene.history.add(probe_frame(30, {probe_layer({2, 2, 2, 2})}, 1));
  const FluctuationRows rows = fluctuation_rows(scene.history, 0, 30, RowOrder::kLastChange);
  EXPECT_EQ(rows.fluctuation_C, (std::vector<double>{0, 0, 0}));
  EXPECT_DOUBLE_EQ(settled_share(rows, 10), 1);
  // The raster shows that they went elsewhere all the same, so the picture says why the curve does not.
  const Scene scene_drawn = fluctuation_scene(scene.context(), {760, 440}, rows, RowOrder::kLastChange, 1);
  EXPECT_EQ(count_text(scene_drawn, "share of tokens settled; the student’s take-over does not count"), 1);
  const FluctuationRows before = fluctuation_rows(scene.history, 0, 10, RowOrder::kLastChange);
  EXPECT_EQ(count_text(fluctuation_scene(scene.context(), {760, 440}, before, RowOrder::kLastChange, 1), "take-over"),
            0);
}

TEST_F(Fluctuation, PaintsEachRowInItsExpertsColour) {
  ViewContext context = scene_.context();
  const FluctuationRows rows = fluctuation_rows(scene_.history, 0, 2500, RowOrder::kLastChange);
  const Picture raster = fluctuation_raster(rows, context, {0, 0, 100, 40}, 0, 2500);
  EXPECT_EQ(raster.height, 4);
  const auto color_at = [&](int row, int column) {
    return raster.rgba[static_cast<std::size_t>(row * raster.width + column)];
  };
  const auto packed = [&](int expert) {
    const Color c = context.palette.expert(expert, 3);
    return 0xFF000000U | static_cast<std::uint32_t>(c.b) << 16 | static_cast<std::uint32_t>(c.g) << 8 | c.r;
  };
  EXPECT_EQ(color_at(0, 99), packed(0));
  EXPECT_EQ(color_at(3, 90), packed(1));  // token D is still at expert 1 at step 2250
  EXPECT_EQ(color_at(2, 85), packed(2));
}

TEST_F(Fluctuation, HasItsPartsInsideTheCanvas) {
  ViewContext context = scene_.context(Theme::kLight);
  const FluctuationRows rows = fluctuation_rows(scene_.history, 0, 2500, RowOrder::kLastChange);
  for (const Size size : {Size{300, 160}, Size{560, 360}, Size{1200, 700}}) {
    const FluctuationLayout layout = fluctuation_layout(size);
    EXPECT_LE(layout.curve.bottom(), size.h);
    EXPECT_GE(layout.raster.h, 20);
    const Scene scene = fluctuation_scene(context, size, rows, RowOrder::kLastChange, 1);
    EXPECT_EQ(count_text(scene, "probe tokens, calm first"),
              size.h > 200 ? 1 : count_text(scene, "probe tokens, calm first"));
    EXPECT_NE(scene.find_hit("token 2"), nullptr);
  }
}

}  // namespace
}  // namespace moescope::views
