#include "core/analysis/quality.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace moescope::analysis {
namespace {

using Curve = std::vector<CurvePoint>;
using Seeds = std::vector<SeedValue>;

const Curve kCurve = {{100, 10.0, 4.0}, {200, 21.0, 3.0}, {300, 33.0, 2.5}, {500, 60.0, 2.6}};

TEST(Perplexity, IsTheExponentialOfNats) {
  EXPECT_DOUBLE_EQ(perplexity(0.0), 1.0);
  EXPECT_NEAR(perplexity(std::log(50.0)), 50.0, 1e-12);
}

TEST(Bits, AreNatsOverLnTwo) {
  EXPECT_DOUBLE_EQ(bits(std::log(2.0)), 1.0);
  EXPECT_NEAR(bits(1.0), 1.442695, 5e-7);
  EXPECT_NEAR(std::exp2(bits(3.0)), perplexity(3.0), 1e-12);
}

TEST(StepsToTarget, IsTheFirstEvaluationAtOrBelow) {
  EXPECT_EQ(steps_to_target(kCurve, 3.0), 200);
  EXPECT_EQ(steps_to_target(kCurve, 2.9), 300);
  EXPECT_EQ(steps_to_target(kCurve, 2.5), 300) << "the later rise does not undo it";
  EXPECT_EQ(steps_to_target(kCurve, 9.0), 100);
  EXPECT_EQ(seconds_to_target(kCurve, 2.9), 33.0);
}

TEST(StepsToTarget, NeverReachedIsNothing) {
  EXPECT_EQ(steps_to_target(kCurve, 2.4), std::nullopt);
  EXPECT_EQ(seconds_to_target(kCurve, 2.4), std::nullopt);
  EXPECT_EQ(steps_to_target({}, 2.4), std::nullopt);
}

TEST(StepsToTarget, ALossThatIsNotANumberReachesNothing) {
  const Curve broken = {{1, 1.0, std::nan("")}, {2, 2.0, 1.0}};
  EXPECT_EQ(steps_to_target(broken, 5.0), 2);
  EXPECT_EQ(steps_to_target(broken, std::nan("")), std::nullopt);
}

TEST(AreaUnderCurve, IsTheSumOfTrapezes) {
  const CurveArea area = area_under_curve(kCurve);
  EXPECT_NEAR(area.area, 350.0 + 275.0 + 510.0, 1e-9);
  EXPECT_NEAR(area.mean_loss, 1135.0 / 400.0, 1e-12);
  EXPECT_EQ(area.first_step, 100);
  EXPECT_EQ(area.last_step, 500);
}

TEST(AreaUnderCurve, EndsWhereItIsTold) {
  EXPECT_NEAR(area_under_curve(kCurve, 300).area, 625.0, 1e-9);
  const CurveArea inside = area_under_curve(kCurve, 250);
  EXPECT_NEAR(inside.area, 350.0 + 50.0 * (3.0 + 2.75) / 2.0, 1e-9);
  EXPECT_EQ(inside.last_step, 250);
  EXPECT_EQ(area_under_curve(kCurve, 9000).last_step, 500);
}

TEST(AreaUnderCurve, DoesNotDependOnPointsAlongALine) {
  const Curve coarse = {{0, 0, 4.0}, {100, 1, 2.0}};
  const Curve fine = {{0, 0, 4.0}, {25, 0, 3.5}, {50, 0, 3.0}, {100, 1, 2.0}};
  EXPECT_NEAR(area_under_curve(coarse).area, area_under_curve(fine).area, 1e-9);
}

TEST(AreaUnderCurve, NeedsTwoPointsInRange) {
  EXPECT_TRUE(std::isnan(area_under_curve({}).area));
  EXPECT_TRUE(std::isnan(area_under_curve(Curve{{5, 1.0, 2.0}}).mean_loss));
  EXPECT_TRUE(std::isnan(area_under_curve(kCurve, 100).area));
  EXPECT_TRUE(std::isnan(area_under_curve(kCurve, 50).area));
}

TEST(OverSeeds, ARepeatedSeedCountsOnce) {
  const Spread values = over_seeds(Seeds{{1, 2.0}, {2, 4.0}, {1, 3.0}});
  EXPECT_DOUBLE_EQ(values.mean, 3.25);
  EXPECT_EQ(values.count, 2);
}

TEST(PairedDifferenceOf, TakesOutWhatTheSeedDoesToBoth) {
  // Seeds differ by far more than methods do; the difference is −0.1 every time.
  const Seeds a = {{1, 2.9}, {2, 3.9}, {3, 0.9}};
  const Seeds b = {{3, 1.0}, {1, 3.0}, {2, 4.0}};
  const PairedDifference paired = paired_difference(a, b);
  EXPECT_NEAR(paired.difference.mean, -.1, 1e-12);
  EXPECT_NEAR(paired.difference.standard_error, 0.0, 1e-12);
  EXPECT_EQ(paired.difference.count, 3);
  EXPECT_TRUE(paired.unpaired_seeds.empty());
  EXPECT_GT(over_seeds(a).standard_error, .5) << "unpaired, the seeds would hide it";
}

TEST(PairedDifferenceOf, ChangesItsSignWithTheOrder) {
  const Seeds a = {{1, 2.0}, {2, 5.0}};
  const Seeds b = {{1, 1.5}, {2, 3.0}};
  EXPECT_DOUBLE_EQ(paired_difference(a, b).difference.mean, -paired_difference(b, a).difference.mean);
  EXPECT_DOUBLE_EQ(paired_difference(a, b).difference.standard_error,
                   paired_difference(b, a).difference.standard_error);
}

TEST(PairedDifferenceOf, NamesSeedsWithoutAPartner) {
  const PairedDifference paired = paired_difference(Seeds{{7, 1.0}, {1, 1.0}}, Seeds{{1, 3.0}, {4, 1.0}});
  EXPECT_EQ(paired.unpaired_seeds, (std::vector<std::uint64_t>{4, 7}));
  EXPECT_EQ(paired.difference.mean, -2.0);
  EXPECT_TRUE(std::isnan(paired.difference.sd));
  EXPECT_TRUE(std::isnan(paired_difference({}, Seeds{{1, 1.0}}).difference.mean));
}

}  // namespace
}  // namespace moescope::analysis
