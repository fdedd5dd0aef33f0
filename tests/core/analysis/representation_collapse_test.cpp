#include "core/analysis/representation_collapse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "tests/core/analysis/f1_routing.h"

namespace moescope::analysis {
namespace {

using Choices = std::vector<std::int16_t>;
using Floats = std::vector<float>;

const Floats kTwoClasses_TD = {0, 0, 2, 2, 4, 0, 6, 2};
const Choices kTwoClasses_T = {0, 0, 1, 1};
const Choices kF1Choice_T = {0, 1, 0, 1, 0, 2};

RepresentationCollapse collapse_of(const Floats& hidden_TD, const Choices& expert_T,
                                   CollapseVariant variant = CollapseVariant::kBalanced) {
  return representation_collapse(hidden_TD, 2, expert_T, 3, {variant, 2});
}

/// Three classes of Gaussian tokens, on a grid that floats and small whole factors keep exact.
struct Cloud {
  Floats hidden_TD;
  Choices expert_T;

  explicit Cloud(unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> gaussian;
    for (int t = 0; t < 60; ++t) {
      expert_T.push_back(static_cast<std::int16_t>(t % 7 % 3));
      for (int d = 0; d < 2; ++d) {
        const double value = gaussian(random) + 2.0 * expert_T.back() * (d + 1) + (expert_T.back() == 1 ? 3 * d : 0);
        hidden_TD.push_back(static_cast<float>(std::round(value * 1024.0) / 1024.0));
      }
    }
  }
};

TEST(RepresentationCollapse, GivesTheOracleOfTwoClasses) {
  const RepresentationCollapse result = collapse_of(kTwoClasses_TD, kTwoClasses_T);
  EXPECT_NEAR(result.collapse, .25, 1e-12);
  EXPECT_NEAR(result.collapse / result.num_classes, .125, 1e-12) << "NC1 of Zhu et al.";
  EXPECT_NEAR(result.trace_ratio, 2.0 / 4.0, 1e-12);
  EXPECT_EQ(result.num_classes, 2);
  EXPECT_EQ(result.between_rank, 1);
  EXPECT_EQ(result.num_tokens, 4);
  EXPECT_FALSE(result.enough_tokens);
}

TEST(RepresentationCollapse, GivesTheOracleOfF1InBothVariants) {
  const auto f1_collapse = [](CollapseVariant variant) {
    return representation_collapse(f1::kHidden_TD, 2, kF1Choice_T, 3, {variant, 1});
  };
  const RepresentationCollapse balanced = f1_collapse(CollapseVariant::kBalanced);
  EXPECT_NEAR(balanced.collapse, .400756, 5e-7);
  EXPECT_EQ(balanced.num_classes, 3);
  EXPECT_EQ(balanced.between_rank, 2);
  EXPECT_EQ(collapse_variant_name(balanced.variant), "balanced");
  const RepresentationCollapse weighted = f1_collapse(CollapseVariant::kWeighted);
  EXPECT_NEAR(weighted.collapse, .383743, 5e-7);
  EXPECT_NEAR(weighted.trace_ratio, .154930, 5e-7);
  EXPECT_EQ(collapse_variant_name(weighted.variant), "weighted");
}

TEST(RepresentationCollapse, AClassOfOneTokenIsDropped) {
  const RepresentationCollapse result = collapse_of(f1::kHidden_TD, kF1Choice_T);
  EXPECT_EQ(result.num_classes, 2);
  EXPECT_EQ(result.dropped_classes, 1);
  EXPECT_EQ(result.num_tokens, 5);
  EXPECT_EQ(result.skipped_tokens, 1);
  EXPECT_NEAR(result.collapse, .253429, 5e-7);
}

TEST(RepresentationCollapse, DoesNotDependOnShiftScaleOrRotation) {
  for (const CollapseVariant variant : {CollapseVariant::kBalanced, CollapseVariant::kWeighted}) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const Cloud cloud(seed);
      const RepresentationCollapse before = collapse_of(cloud.hidden_TD, cloud.expert_T, variant);
      Floats shifted = cloud.hidden_TD, scaled = cloud.hidden_TD, rotated = cloud.hidden_TD;
      for (float& value : shifted) value += 512.0f;
      for (float& value : scaled) value *= 0.125f;
      for (std::size_t i = 0; i < rotated.size(); i += 2) {  // by the 3-4-5 triangle, which also scales by 5
        rotated[i] = 3.0f * cloud.hidden_TD[i] - 4.0f * cloud.hidden_TD[i + 1];
        rotated[i + 1] = 4.0f * cloud.hidden_TD[i] + 3.0f * cloud.hidden_TD[i + 1];
      }
      for (const Floats& moved : {shifted, scaled, rotated}) {
        const RepresentationCollapse after = collapse_of(moved, cloud.expert_T, variant);
        EXPECT_NEAR(after.collapse, before.collapse, 1e-8 * before.collapse);
        EXPECT_NEAR(after.trace_ratio, before.trace_ratio, 1e-8 * before.trace_ratio);
      }
    }
  }
}

TEST(RepresentationCollapse, IsZeroOnlyIfNothingScattersBetweenTheClasses) {
  // Two classes apart along the first axis: scatter along the second does not count, along the first it does.
  EXPECT_NEAR(collapse_of({0, -1, 0, 1, 4, -2, 4, 2}, kTwoClasses_T).collapse, 0.0, 1e-12);
  EXPECT_GT(collapse_of({0, -1, 0, 1, 4, -2, 4, 2}, kTwoClasses_T).trace_ratio, 0.1);
  EXPECT_GT(collapse_of({0, -1, 1, 1, 4, -2, 4, 2}, kTwoClasses_T).collapse, 1e-3);
  EXPECT_EQ(collapse_of({1, 2, 1, 2, 4, 2, 4, 2}, kTwoClasses_T).collapse, 0.0);
}

TEST(RepresentationCollapse, FallsAsTokensCloseInOnTheirClassMean) {
  double last = 1e9;
  for (const float spread : {4.0f, 2.0f, 1.0f, 0.25f}) {
    const double now = collapse_of({-spread, 0, spread, 0, 8 - spread, 0, 8 + spread, 0}, kTwoClasses_T).collapse;
    EXPECT_LT(now, last);
    last = now;
  }
}

TEST(RepresentationCollapse, WithoutTwoClassesApartThereIsNoValue) {
  EXPECT_TRUE(std::isnan(collapse_of({}, {}).collapse));
  EXPECT_EQ(collapse_of({}, {}).num_classes, 0);
  EXPECT_TRUE(std::isnan(collapse_of({1, 2, 3, 4}, {0, 0}).collapse));
}

TEST(RepresentationCollapse, MeansThatDifferByRoundingDoNotDiffer) {
  // Three equal class means: the mean of the three is off by a rounding in one coordinate or another.
  Floats hidden_TD;
  Choices expert_T;
  for (int t = 0; t < 6; ++t) {
    for (int d = 0; d < 8; ++d) hidden_TD.push_back(0.1f + 0.37f * static_cast<float>(d) + (t % 2 == 0 ? 1.0f : -1.0f));
    expert_T.push_back(static_cast<std::int16_t>(t / 2));
  }
  const RepresentationCollapse result = representation_collapse(hidden_TD, 8, expert_T, 3);
  EXPECT_EQ(result.num_classes, 3);
  EXPECT_TRUE(std::isnan(result.collapse));
  EXPECT_TRUE(std::isnan(result.trace_ratio));
}

TEST(RepresentationCollapse, KeepsDirectionsDownToTheCutOff) {
  const auto rank_with_height = [](float height) {
    const Floats hidden_TD = {-1, 0, 1, 0, 99, 0, 101, 0, 49, height, 51, height};
    return collapse_of(hidden_TD, {0, 0, 1, 1, 2, 2}).between_rank;
  };
  EXPECT_EQ(rank_with_height(0.01f), 2) << "about 1e-8 of the largest eigenvalue";
  EXPECT_EQ(rank_with_height(0.0001f), 1) << "about 1e-12 of it";
}

TEST(RepresentationCollapse, ATokenWithoutAnExpertTakesNoPart) {
  Floats hidden = kTwoClasses_TD;
  hidden.insert(hidden.end(), {100, -7});
  Choices expert = kTwoClasses_T;
  expert.push_back(-1);
  EXPECT_NEAR(collapse_of(hidden, expert).collapse, .25, 1e-12);
  EXPECT_EQ(collapse_of(hidden, expert).skipped_tokens, 1);
}

TEST(RepresentationCollapse, SaysWhenTheTokensAreEnough) {
  const Cloud cloud(1);
  EXPECT_TRUE(collapse_of(cloud.hidden_TD, cloud.expert_T).enough_tokens) << "60 tokens, 2 dimensions";
}

TEST(GradientShareInSpan, IsOneForALinearRouter) {
  // Gradients of a linear gate are sums of router rows; two rows in five dimensions.
  const Floats router_ED = {1, 0, 2, 0, 0.5f, 0, 1, -1, 3, 0};
  Floats gradient_TD;
  for (const auto& [a, b] : std::vector<std::pair<float, float>>{{1, 0}, {0, -2}, {0.5f, 3}}) {
    for (std::size_t d = 0; d < 5; ++d) gradient_TD.push_back(a * router_ED[d] + b * router_ED[5 + d]);
  }
  const GradientSpan result = gradient_share_in_span(gradient_TD, router_ED, 5);
  EXPECT_NEAR(result.share, 1.0, 1e-12);
  EXPECT_EQ(result.rank, 2);
  EXPECT_EQ(result.num_tokens, 3);
}

TEST(GradientShareInSpan, WeighsByEnergy) {
  const Floats router_ED = {2, 0, 0, -3, 0, 0};  // both along the first axis: rank 1
  const GradientSpan result = gradient_share_in_span(Floats{3, 0, 0, 0, 1, 0, 0, 0, 0}, router_ED, 3);
  EXPECT_NEAR(result.share, .9, 1e-12);
  EXPECT_EQ(result.rank, 1);
  EXPECT_EQ(result.num_tokens, 2);
}

TEST(GradientShareInSpan, MoreRowsThanDimensionsSpanEverything) {
  const GradientSpan result = gradient_share_in_span(Floats{1, 7}, f1::kRouter_ED, 2);
  EXPECT_NEAR(result.share, 1.0, 1e-12);
  EXPECT_EQ(result.rank, 2);
}

TEST(GradientShareInSpan, WithoutAGradientThereIsNoShare) {
  EXPECT_TRUE(std::isnan(gradient_share_in_span({}, f1::kRouter_ED, 2).share));
  EXPECT_TRUE(std::isnan(gradient_share_in_span(Floats{0, 0}, f1::kRouter_ED, 2).share));
  EXPECT_EQ(gradient_share_in_span(Floats{1, 0}, Floats{0, 0}, 2).share, 0.0) << "a router of zeros spans nothing";
}

}  // namespace
}  // namespace moescope::analysis
