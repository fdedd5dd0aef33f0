#include "core/base/diagnostic.h"

#include <gtest/gtest.h>

namespace moescope {
namespace {

TEST(Diagnostic, ShowsPlaceLineCaretAndHint) {
  const Diagnostic diagnostic{Severity::kError,
                              {"sample_configs/top2.toml", 7, 9, "top_k = 9"},
                              "'top_k' is 9, but this layer has 8 experts",
                              "'num_experts' is set on line 6; top_k may be 1 to 8"};
  EXPECT_EQ(format(diagnostic),
            "sample_configs/top2.toml:7:9: error: 'top_k' is 9, but this layer has 8 experts\n"
            "    7 | top_k = 9\n"
            "      |         ^\n"
            "hint: 'num_experts' is set on line 6; top_k may be 1 to 8\n");
}

TEST(Diagnostic, WithoutAPlaceIsOneLine) {
  EXPECT_EQ(format(error("no corpus")), "error: no corpus\n");
  EXPECT_EQ(format(warning("slow", "use fewer layers")), "warning: slow\nhint: use fewer layers\n");
}

TEST(Diagnostic, AboutAFileAsAWholeHasNoLine) {
  EXPECT_EQ(format(Diagnostic{Severity::kError, {"a.toml", 0, 0, ""}, "is empty", ""}), "a.toml: error: is empty\n");
}

TEST(Diagnostic, TheCaretFollowsTabs) {
  EXPECT_EQ(format(Diagnostic{Severity::kError, {"a", 123456, 3, "\tx = 1"}, "m", ""}),
            "a:123456:3: error: m\n123456 | \tx = 1\n       | \t ^\n");
}

TEST(Diagnostic, ACaretBeyondTheLineStandsAtItsEnd) {
  EXPECT_EQ(format(Diagnostic{Severity::kError, {"a", 1, 99, "ab"}, "m", ""}),
            "a:1:99: error: m\n    1 | ab\n      |   ^\n");
}

TEST(Diagnostic, AListIsSortedByPlaceAndEqualPlacesKeepTheirOrder) {
  const Diagnostics list{{Severity::kError, {"b", 1, 1, ""}, "3", ""},
                         {Severity::kWarning, {"a", 2, 1, ""}, "2", ""},
                         {Severity::kError, {"a", 1, 5, ""}, "1", ""},
                         {Severity::kError, {"b", 1, 1, ""}, "4", ""}};
  EXPECT_EQ(format(list), "a:1:5: error: 1\na:2:1: warning: 2\nb:1:1: error: 3\nb:1:1: error: 4\n");
}

TEST(Diagnostic, WarningsAreNoErrors) {
  EXPECT_FALSE(has_errors({warning("w")}));
  EXPECT_TRUE(has_errors({warning("w"), error("e")}));
  EXPECT_FALSE(has_errors({}));
}

}  // namespace
}  // namespace moescope
