#include "core/analysis/spread.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace moescope::analysis {
namespace {

TEST(SpreadOf, GivesMeanSampleDeviationAndStandardError) {
  const Spread values = spread(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(values.mean, 5.0);
  EXPECT_NEAR(values.sd, std::sqrt(32.0 / 7.0), 1e-12);
  EXPECT_NEAR(values.standard_error, std::sqrt(32.0 / 7.0 / 8.0), 1e-12);
  EXPECT_EQ(values.count, 8);
}

TEST(SpreadOf, OneValueHasAMeanOnly) {
  EXPECT_EQ(spread(std::vector<double>{3}).mean, 3.0);
  EXPECT_TRUE(std::isnan(spread(std::vector<double>{3}).sd));
  EXPECT_TRUE(std::isnan(spread(std::vector<double>{3}).standard_error));
  EXPECT_TRUE(std::isnan(spread({}).mean));
  EXPECT_EQ(spread({}).count, 0);
}

TEST(SpreadOf, AValueThatIsNotFiniteShows) {
  EXPECT_TRUE(std::isnan(spread(std::vector<double>{1, std::nan(""), 2}).mean));
  EXPECT_TRUE(std::isinf(spread(std::vector<double>{1, HUGE_VAL}).mean));
}

}  // namespace
}  // namespace moescope::analysis
