#include "core/analysis/margin.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/core/analysis/f1_routing.h"

namespace moescope::analysis {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(ProbMargins, HaveTheMeanOfF1) {
  const std::vector<double> margins = prob_margins(f1::probs_TE(), 3);
  EXPECT_NEAR(margins[0], .665241 - .244728, 2e-6);
  EXPECT_NEAR(mean_margin(margins), .429982, 6e-7);
}

TEST(LogitMargins, GiveTheDigitsOfF1) {
  EXPECT_EQ(logit_margins(f1::kScores_TE, 3), (std::vector<double>{1, .75, .5, .5, 2, 1.625}));
}

TEST(SelectionMargins, AtTwoChoicesCompareTheSecondWithTheThird) {
  EXPECT_EQ(selection_margins(f1::kScores_TE, 3, 2), (std::vector<double>{1, .25, 1.375, 2.5, 2, 2.5}));
}

TEST(SelectionMargins, AllChosenOrTheRestMaskedIsInfinite) {
  EXPECT_TRUE(std::isinf(selection_margins(f1::kScores_TE, 3, 3)[0]));
  EXPECT_TRUE(std::isinf(selection_margins(std::vector<float>{1, -kInf, 2}, 3, 2)[0]));
  EXPECT_TRUE(std::isinf(logit_margins(std::vector<float>{4}, 1)[0]));
}

TEST(SelectionMargins, ARowWithoutAnOrderIsNotANumber) {
  const std::vector<double> margins = logit_margins(std::vector<float>{1, kNan, -kInf, -kInf, 2, 1}, 2);
  EXPECT_TRUE(std::isnan(margins[0]));
  EXPECT_TRUE(std::isnan(margins[1]));
  EXPECT_EQ(margins[2], 1.0);
  EXPECT_EQ(mean_margin(margins), 1.0);
}

TEST(GeometricMargins, DivideByTheDistanceOfTheTwoBestRows) {
  const std::vector<double> margins = geometric_margins(f1::kScores_TE, f1::kRouter_ED, 3, 2);
  EXPECT_NEAR(margins[0], 1.0 / std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(margins[1], .75 / std::sqrt(1.0 + .75 * .75), 1e-12) << "experts 1 and 2";
  EXPECT_NEAR(margins[5], 1.625 / std::sqrt(1.0 + .75 * .75), 1e-12) << "experts 2 and 1";
}

TEST(GeometricMargins, AreTheDistanceATokenMustMoveToTie) {
  // Token 0 of F1 is (1, 0); experts 0 and 1 tie on the diagonal.
  const double margin = geometric_margins(f1::kScores_TE, f1::kRouter_ED, 3, 2)[0];
  const double x = 1.0 - margin / std::sqrt(2.0);
  const double y = margin / std::sqrt(2.0);
  EXPECT_NEAR(x, y, 1e-12);
}

TEST(GeometricMargins, EqualRowsNeverTieAnywhereElse) {
  EXPECT_TRUE(std::isinf(geometric_margins(std::vector<float>{2, 2}, std::vector<float>{1, 1, 1, 1}, 2, 2)[0]));
}

TEST(Margins, ATieIsZeroAndEmptyStaysEmpty) {
  EXPECT_EQ(logit_margins(std::vector<float>{3, 3, 1}, 3)[0], 0.0);
  EXPECT_EQ(prob_margins(std::vector<float>{1}, 1)[0], 1.0);
  EXPECT_TRUE(prob_margins({}, 3).empty());
  EXPECT_TRUE(std::isnan(mean_margin({})));
}

}  // namespace
}  // namespace moescope::analysis
