#include "core/base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "core/base/seed.h"

namespace moescope {
namespace {

TEST(NearestWord, FindsSlipsOnly) {
  const std::vector<std::string> known{"top_k", "num_experts", "balance_coefficient", "lr"};
  EXPECT_EQ(nearest_word("topk", known), "top_k");
  EXPECT_EQ(nearest_word("num_expetrs", known), "num_experts");  // a swap counts as one
  EXPECT_EQ(nearest_word("balance_coeficent", known), "balance_coefficient");
  EXPECT_EQ(nearest_word("rl", known), "lr");
  EXPECT_EQ(nearest_word("frobnicate", known), std::nullopt);
  EXPECT_EQ(nearest_word("", {"abc"}), std::nullopt);
  EXPECT_EQ(nearest_word("x", {}), std::nullopt);
}

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_EQ(first_invalid_utf8("plain"), std::nullopt);
  EXPECT_EQ(first_invalid_utf8("ä€\xF0\x9F\x99\x82"), std::nullopt);
  EXPECT_EQ(first_invalid_utf8("ab\xFF"), 2U);
  EXPECT_EQ(first_invalid_utf8("\xC3"), 0U);              // cut
  EXPECT_EQ(first_invalid_utf8("\xC0\xAF"), 0U);          // overlong
  EXPECT_EQ(first_invalid_utf8("\xE0\x80\xAF"), 0U);      // overlong
  EXPECT_EQ(first_invalid_utf8("\xED\xA0\x80"), 0U);      // surrogate
  EXPECT_EQ(first_invalid_utf8("\xF4\x90\x80\x80"), 0U);  // beyond U+10FFFF
  EXPECT_EQ(first_invalid_utf8("x\x80"), 1U);             // a continuation on its own
}

TEST(Printable, EscapesWhatATerminalWouldObey) { EXPECT_EQ(printable("ä\x1B[31m\n\xFF"), "ä\\x1B[31m\\x0A\\xFF"); }

TEST(Numbers, WithThousands) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(-1234567), "-1,234,567");
}

TEST(Numbers, ShortestReadsBackAsTheSameDouble) {
  EXPECT_EQ(shortest(0.3), "0.3");
  EXPECT_EQ(shortest(1e-4), "0.0001");
  EXPECT_EQ(shortest(4), "4");
  EXPECT_EQ(shortest(0), "0");
  SeededWords words(1);
  for (int i = 0; i < 2000; ++i) {
    const double number = (words.unit() - 0.5) * std::pow(10, static_cast<double>(words.below(40)) - 20);
    ASSERT_EQ(std::strtod(shortest(number).c_str(), nullptr), number);
  }
}

TEST(JoinOr, ReadsAsASentence) {
  EXPECT_EQ(join_or({}), "");
  EXPECT_EQ(join_or({"a"}), "a");
  EXPECT_EQ(join_or({"a", "b"}), "a or b");
  EXPECT_EQ(join_or({"a", "b", "c"}), "a, b or c");
}

}  // namespace
}  // namespace moescope
