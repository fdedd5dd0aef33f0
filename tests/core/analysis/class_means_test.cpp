#include "core/analysis/class_means.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace moescope::analysis {
namespace {

using Choices = std::vector<std::int16_t>;
using Floats = std::vector<float>;

TEST(ClassMeans, CountWhatTheyRestOn) {
  const ClassMeans classes = class_means(Floats{1, 3, 5, 100, 9}, 1, Choices{2, 0, 2, -1, 3}, 5, 1);
  EXPECT_EQ(classes.class_K, (std::vector<int>{0, 2, 3}));
  EXPECT_EQ(classes.count_K, (std::vector<std::int64_t>{1, 2, 1}));
  EXPECT_EQ(classes.row_C, (std::vector<int>{0, -1, 1, 2, -1}));
  EXPECT_EQ(classes.mean_KD.values, (std::vector<double>{3, 3, 9}));
  EXPECT_EQ(classes.num_tokens, 4);
  EXPECT_EQ(classes.skipped_tokens, 1);
  EXPECT_EQ(classes.dropped_classes, 0);
  EXPECT_DOUBLE_EQ(classes.rms_length, std::sqrt(116.0 / 4.0));
  EXPECT_DOUBLE_EQ(grand_mean(classes, false)[0], 5.0);
  EXPECT_DOUBLE_EQ(grand_mean(classes, true)[0], 4.5);
}

TEST(ClassMeans, NoTokensGiveNoClasses) {
  const ClassMeans classes = class_means({}, 3, {}, 4, 2);
  EXPECT_TRUE(classes.class_K.empty());
  EXPECT_TRUE(std::isnan(classes.rms_length));
}

TEST(ClassMeans, DropClassesThatAreTooSmall) {
  const ClassMeans classes = class_means(Floats{1, 3, 5}, 1, Choices{0, 1, 1}, 2, 2);
  EXPECT_EQ(classes.class_K, std::vector<int>{1});
  EXPECT_EQ(classes.dropped_classes, 1);
  EXPECT_EQ(classes.skipped_tokens, 1);
  EXPECT_DOUBLE_EQ(classes.rms_length, std::sqrt(17.0));
}

}  // namespace
}  // namespace moescope::analysis
