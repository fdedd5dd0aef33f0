#include "core/analysis/class_geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/core/analysis/f1_routing.h"

namespace moescope::analysis {
namespace {

using Choices = std::vector<std::int16_t>;
using Floats = std::vector<float>;

const Choices kF1Choice_T = {0, 1, 0, 1, 0, 2};

/// The corners of a tetrahedron, each once: a simplex of four classes in three dimensions.
const Floats kTetrahedron_TD = {1, 1, 1, 1, -1, -1, -1, 1, -1, -1, -1, 1};
const Choices kCorner_T = {0, 1, 2, 3};

TEST(ClassGeometry, OfASimplexIsTheIdeal) {
  const ClassGeometry geometry = class_geometry(kTetrahedron_TD, 3, kCorner_T, 4, kTetrahedron_TD, 1);
  EXPECT_NEAR(geometry.mean_cosine, -1.0 / 3.0, 1e-12);
  EXPECT_NEAR(geometry.simplex_cosine, -1.0 / 3.0, 1e-12);
  EXPECT_NEAR(geometry.sd_cosine, 0.0, 1e-9);
  EXPECT_NEAR(geometry.length_variation, 0.0, 1e-12);
  EXPECT_NEAR(geometry.mean_alignment, 1.0, 1e-12);
  for (const double alignment : geometry.alignment_E) EXPECT_NEAR(alignment, 1.0, 1e-12);
  EXPECT_EQ(geometry.num_classes, 4);
  EXPECT_EQ(geometry.num_tokens, 4);
}

TEST(ClassGeometry, OfF1AsComputedElsewhere) {
  const ClassGeometry geometry = class_geometry(f1::kHidden_TD, 2, kF1Choice_T, 3, f1::kRouter_ED, 1);
  EXPECT_NEAR(geometry.mean_cosine, -.444838, 5e-7);
  EXPECT_NEAR(geometry.sd_cosine, .369763, 5e-7);
  EXPECT_NEAR(geometry.simplex_cosine, -.5, 1e-12);
  EXPECT_NEAR(geometry.length_variation, .316809, 5e-7);
  EXPECT_NEAR(geometry.alignment_E[0], .951709, 5e-7);
  EXPECT_NEAR(geometry.alignment_E[1], .989949, 5e-7);
  EXPECT_NEAR(geometry.alignment_E[2], .927904, 5e-7);
}

TEST(ClassGeometry, DoesNotDependOnShiftScaleOrRotation) {
  const ClassGeometry before = class_geometry(f1::kHidden_TD, 2, kF1Choice_T, 3, f1::kRouter_ED, 1);
  const auto turned = [](const Floats& rows, float shift) {
    Floats result = rows;
    for (std::size_t i = 0; i < rows.size(); i += 2) {
      result[i] = 3.0f * rows[i] - 4.0f * rows[i + 1] + shift;
      result[i + 1] = 4.0f * rows[i] + 3.0f * rows[i + 1] - shift;
    }
    return result;
  };
  const ClassGeometry after =
      class_geometry(turned(f1::kHidden_TD, 64.0f), 2, kF1Choice_T, 3, turned(f1::kRouter_ED, 0.0f), 1);
  EXPECT_NEAR(after.mean_cosine, before.mean_cosine, 1e-10);
  EXPECT_NEAR(after.sd_cosine, before.sd_cosine, 1e-10);
  EXPECT_NEAR(after.length_variation, before.length_variation, 1e-10);
  EXPECT_NEAR(after.mean_alignment, before.mean_alignment, 1e-10);
}

TEST(ClassGeometry, ASmallClassIsDroppedWithItsAlignment) {
  const ClassGeometry geometry = class_geometry(f1::kHidden_TD, 2, kF1Choice_T, 3, f1::kRouter_ED);
  EXPECT_EQ(geometry.num_classes, 2);
  EXPECT_EQ(geometry.dropped_classes, 1);
  EXPECT_EQ(geometry.skipped_tokens, 1);
  EXPECT_NEAR(geometry.mean_cosine, -1.0, 1e-12) << "two classes always lie opposite each other";
  EXPECT_TRUE(std::isnan(geometry.alignment_E[2]));
  EXPECT_NEAR(geometry.mean_alignment, (.808736 + .588172) / 2.0, 1e-6);
}

TEST(ClassGeometry, AMeanAtTheCentreHasALengthButNoDirection) {
  // Class 1 lies where the mean of all is: one pair of classes is left, and lengths 1, 0, 1.
  const ClassGeometry geometry = class_geometry(Floats{-1, 0, 0, 0, 1, 0}, 2, Choices{0, 1, 2}, 3, {}, 1);
  EXPECT_NEAR(geometry.mean_cosine, -1.0, 1e-12);
  EXPECT_NEAR(geometry.length_variation, std::sqrt(.5), 1e-12);
}

TEST(ClassGeometry, WithoutRouterRowsThereIsNoAlignment) {
  const ClassGeometry geometry = class_geometry(f1::kHidden_TD, 2, kF1Choice_T, 3, {}, 1);
  EXPECT_TRUE(std::isnan(geometry.mean_alignment));
  EXPECT_EQ(geometry.alignment_E.size(), 3u);
  const ClassGeometry zero_rows = class_geometry(f1::kHidden_TD, 2, kF1Choice_T, 3, Floats(6, 0.0f), 1);
  EXPECT_TRUE(std::isnan(zero_rows.mean_alignment));
}

TEST(ClassGeometry, FewerThanTwoClassesAreNotANumber) {
  for (const Choices& classes : {Choices{0, 0}, Choices{-1, -1}}) {
    const ClassGeometry geometry = class_geometry(Floats{1, 2, 3, 4}, 2, classes, 2, Floats{1, 0, 0, 1});
    EXPECT_TRUE(std::isnan(geometry.mean_cosine));
    EXPECT_TRUE(std::isnan(geometry.simplex_cosine));
    EXPECT_TRUE(std::isnan(geometry.length_variation));
    EXPECT_TRUE(std::isnan(geometry.mean_alignment));
  }
  Floats same_means;  // their mean is off by a rounding in one coordinate or another
  for (int t = 0; t < 3; ++t) {
    for (int d = 0; d < 8; ++d) same_means.push_back(0.1f + 0.37f * static_cast<float>(d));
  }
  const ClassGeometry coinciding = class_geometry(same_means, 8, Choices{0, 1, 2}, 3, {}, 1);
  EXPECT_TRUE(std::isnan(coinciding.mean_cosine));
  EXPECT_TRUE(std::isnan(coinciding.length_variation));
}

}  // namespace
}  // namespace moescope::analysis
