#include "core/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace moescope {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return error("odd");
  return number / 2;
}

TEST(Result, HoldsAValueOrSaysWhyNot) {
  EXPECT_TRUE(half(4));
  EXPECT_EQ(*half(4), 2);
  const Result<int> failed = half(3);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().front().message, "odd");
}

TEST(Result, MovesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, CarriesAllDiagnostics) {
  const Status status = Diagnostics{error("a"), warning("b")};
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().size(), 2U);
}

TEST(ResultDeathTest, MisuseIsOurBugAndAborts) {
  const Result<int> failed = half(3);
  EXPECT_DEATH(static_cast<void>(failed.value()), "value\\(\\) is asked of a good Result only");
  EXPECT_DEATH(static_cast<void>(Result<int>(Diagnostics{})), "a failed Result says why");
}

}  // namespace
}  // namespace moescope
