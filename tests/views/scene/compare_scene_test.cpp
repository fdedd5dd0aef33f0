#include "views/scene/compare_scene.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/views/made_up_run.h"
#include "views/scene/svg.h"

namespace moescope::views {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const Palette& light() { return palette(Theme::kLight); }

RunCurve curve(std::vector<std::int64_t> step, std::vector<double> y) {
  RunCurve made{std::move(step), {}, std::move(y)};
  made.x.assign(made.step.begin(), made.step.end());
  return made;
}

CurvePlot two_configurations() {
  CurvePlot plot{{"Validation loss against steps", "mean ± standard error over 3 seeds", "step", "nats per token"}, {}};
  for (const double end : {4.0, 3.2}) {
    CurveGroup group{end > 3.5 ? "switch" : "stablemoe", {}};
    for (int seed = 0; seed < 3; ++seed) {
      std::vector<std::int64_t> steps;
      std::vector<double> values;
      for (int step = 20; step <= 400; step += 20) {
        steps.push_back(step);
        values.push_back(end + 4 * std::exp(-step / 80.0) + 0.05 * seed);
      }
      group.runs.push_back(curve(steps, values));
    }
    plot.groups.push_back(std::move(group));
  }
  return plot;
}

TEST(MeanCurve, AveragesWhatAllRunsHave) {
  const MeanCurve mean = mean_curve({curve({10, 20, 30}, {1, 2, 3}), curve({10, 20, 40}, {3, 4, 9})});
  EXPECT_THAT(mean.x, ElementsAre(10, 20));
  EXPECT_THAT(mean.mean, ElementsAre(2, 3));
  EXPECT_THAT(mean.error, ElementsAre(1, 1)) << "standard deviation √2, over √2";
}

TEST(MeanCurve, AveragesTheAxisToo) {
  RunCurve a = curve({1}, {5}), b = curve({1}, {7});
  a.x = {2};
  b.x = {4};
  EXPECT_THAT(mean_curve({a, b}).x, ElementsAre(3));
}

TEST(MeanCurve, WhatIsNotFiniteIsNoPoint) {
  const MeanCurve mean = mean_curve({curve({1, 2}, {kNan, 2}), curve({1, 2}, {1, 4})});
  EXPECT_THAT(mean.x, ElementsAre(2));
  EXPECT_THAT(mean.mean, ElementsAre(3));
}

TEST(MeanCurve, OneRunHasNoError) {
  EXPECT_TRUE(std::isnan(mean_curve({curve({1}, {5})}).error.front()));
  EXPECT_THAT(mean_curve({}).x, IsEmpty());
}

TEST(CurveScene, HasALineAndABandPerConfigurationAndNamesThem) {
  const Scene scene = curve_scene(two_configurations(), light(), {760, 440});
  EXPECT_EQ(testing::shapes_of<Band>(scene).size(), 2U);
  std::size_t curves = 0;
  for (const Line* line : testing::shapes_of<Line>(scene)) curves += line->points.size() == 20;
  EXPECT_EQ(curves, 2U);
  for (const char* text : {"switch", "stablemoe", "step", "nats per token", "mean ± standard error over 3 seeds"})
    EXPECT_NE(testing::find_text(scene, text), nullptr) << text;
  EXPECT_EQ(scene.summary, "Validation loss against steps; switch 4.077 ± 0.029; stablemoe 3.277 ± 0.029");
  EXPECT_THAT(testing::text_faults(scene), IsEmpty());
}

TEST(CurveScene, LabelsStayApartAtAnyNumberOfConfigurations) {
  for (const std::size_t count : {1U, 3U, 8U}) {
    CurvePlot plot = two_configurations();
    plot.groups.resize(1);
    for (std::size_t i = 1; i < count; ++i) {
      plot.groups.push_back(plot.groups.front());
      plot.groups.back().name = "configuration_with_a_long_name_" + std::to_string(i);
    }
    EXPECT_THAT(testing::text_faults(curve_scene(plot, light(), {760, 440})), IsEmpty()) << count;
  }
}

TEST(CurveScene, OneSeedIsALineWithoutABand) {
  CurvePlot plot = two_configurations();
  for (CurveGroup& group : plot.groups) group.runs.resize(1);
  const Scene scene = curve_scene(plot, light(), {760, 440});
  EXPECT_THAT(testing::shapes_of<Band>(scene), IsEmpty());
  EXPECT_THAT(scene.summary, HasSubstr("switch 4.03"));
}

TEST(CurveScene, AConfigurationWithoutValuesIsNamedAsSuch) {
  CurvePlot plot = two_configurations();
  plot.groups.push_back({"dense", {{}, {}}});
  const Scene scene = curve_scene(plot, light(), {760, 440});
  EXPECT_NE(testing::find_text(scene, "no values"), nullptr);
  EXPECT_THAT(testing::text_faults(scene), IsEmpty());
  plot.groups = {{"dense", {}}};
  EXPECT_THAT(to_svg(curve_scene(plot, light(), {760, 440})), ::testing::Not(HasSubstr("nan")));
}

TEST(CurveScene, ConstantsAndSinglePointsHaveAnAxis) {
  CurvePlot plot = two_configurations();
  plot.groups = {{"flat", {curve({5}, {2})}}};
  const Scene scene = curve_scene(plot, light(), {760, 440});
  ASSERT_FALSE(testing::shapes_of<Dots>(scene).empty());
  const Vec2 point = testing::shapes_of<Dots>(scene).front()->centers.front();
  EXPECT_TRUE(point.x > 0 && point.x < 760 && point.y > 0 && point.y < 440);
}

TEST(CurveScene, FromZeroShowsZero) {
  CurvePlot plot = two_configurations();
  plot.from_zero = true;
  const auto ticks = [&] {
    std::vector<std::string> all;
    const Scene scene = curve_scene(plot, light(), {760, 440});
    for (const Text* text : testing::texts_of(scene))
      if (text->align == Text::Align::kRight) all.push_back(text->text);
    return all;
  };
  EXPECT_THAT(ticks(), ::testing::Contains("0"));
  plot.from_zero = false;
  EXPECT_THAT(ticks(), ::testing::Not(::testing::Contains("0")));
}

TEST(ValueScene, ShowsEverySeedBesideTheMean) {
  const ValuePlot plot{{"BLEU at the end of training", "nrefs:1", "", "BLEU"},
                       {{"switch", {20, 22, kNan}}, {"thor", {25}}, {"dense", {}}}};
  const Scene scene = value_scene(plot, light(), {760, 440});
  std::size_t dots = 0;
  for (const Dots* one : testing::shapes_of<Dots>(scene)) dots += one->centers.size();
  EXPECT_EQ(dots, 2U + 1U + 1U + 1U) << "values and means";
  EXPECT_EQ(scene.summary, "BLEU at the end of training; switch 21.0 ± 1.0; thor 25.0; dense no values");
  EXPECT_THAT(testing::text_faults(scene), IsEmpty());
}

TEST(LineColor, ReadsOnAPage) {
  for (std::size_t i = 0; i < 7; ++i) EXPECT_GT(contrast(line_color(light(), i), light().dock), 2) << i;
  for (std::size_t i = 0; i < 24; ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(line_color(light(), i) == line_color(light(), j)) << i << ' ' << j;
}

}  // namespace
}  // namespace moescope::views
