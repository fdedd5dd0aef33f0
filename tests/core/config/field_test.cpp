#include "core/config/field.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace moescope::config {
namespace {

struct Sample {
  bool enabled = true;
  int count = 3;
  std::int64_t steps = 7;
  double rate = 0.5;
  float slope = 1.5F;
  std::string mode = "a";
};

FieldList<Sample> sample_fields() {
  return {field(&Sample::enabled, "enabled", "on"),
          field(&Sample::count, "count", "how many").range(1, 8),
          field(&Sample::steps, "steps", "how long"),
          field(&Sample::rate, "rate", "how fast").range(0, 1).live(),
          field(&Sample::slope, "slope", "how steep").above(0),
          field(&Sample::mode, "mode", "how").choices({"a", "b"})};
}

FieldSpec spec_of(const std::string& key) {
  for (const auto& one : sample_fields())
    if (one.spec.key == key) return one.spec;
  return {};
}

TEST(Field, DefaultsAreTheMemberInitialisers) {
  EXPECT_EQ(std::get<std::int64_t>(spec_of("count").default_value), 3);
  EXPECT_EQ(std::get<std::string>(spec_of("mode").default_value), "a");
  EXPECT_EQ(std::get<double>(spec_of("slope").default_value), 1.5);
  EXPECT_TRUE(spec_of("rate").live);
  EXPECT_FALSE(spec_of("count").live);
}

TEST(Field, AssignFillsWhatIsGivenAndLeavesTheRest) {
  Sample sample;
  assign(sample_fields(), {{"count", std::int64_t{5}}, {"rate", std::int64_t{1}}, {"enabled", false}}, sample);
  EXPECT_EQ(sample.count, 5);
  EXPECT_EQ(sample.rate, 1.0);
  EXPECT_FALSE(sample.enabled);
  EXPECT_EQ(sample.mode, "a");
  EXPECT_EQ(std::get<double>(values_of(sample_fields(), sample).at("rate")), 1.0);
}

TEST(CheckValue, SaysWhatIsWrongAndWhatIsAllowed) {
  EXPECT_EQ(check_value(spec_of("count"), std::int64_t{8}), "");
  EXPECT_EQ(check_value(spec_of("count"), std::int64_t{9}), "'count' is 9, allowed is 1 to 8");
  EXPECT_EQ(check_value(spec_of("count"), 2.0), "'count' is 2.0, but must be a whole number");
  EXPECT_EQ(check_value(spec_of("rate"), std::string("fast")), "'rate' is \"fast\", but must be a number");
  EXPECT_EQ(check_value(spec_of("rate"), std::nan("")), "'rate' is nan, but must be finite");
  EXPECT_EQ(check_value(spec_of("rate"), true), "'rate' is true, but must be a number");
  EXPECT_EQ(check_value(spec_of("slope"), 0.0), "'slope' is 0.0, allowed is more than 0");
  EXPECT_EQ(check_value(spec_of("enabled"), std::int64_t{1}), "'enabled' is 1, but must be true or false");
  EXPECT_EQ(check_value(spec_of("mode"), std::string("c")), "'mode' is \"c\", allowed is a or b");
  EXPECT_EQ(check_value(spec_of("mode"), false), "'mode' is false, but must be a text in quotes");
}

TEST(CheckValue, RefusesTextThatNoFileCouldHold) {
  const FieldSpec any = field(&Sample::mode, "mode", "free").spec;
  EXPECT_EQ(check_value(any, std::string("Straße ✓")), "");
  EXPECT_EQ(check_value(any, std::string("a\nb")), "'mode' contains a control character");
  EXPECT_EQ(check_value(any, std::string("\xC3")), "'mode' is not valid UTF-8");
  EXPECT_EQ(check_value(any, std::string(900, 'x')), "'mode' is too long, at most 800 bytes are allowed");
}

TEST(CheckValue, AnIntMemberNeverOverflows) {
  const FieldSpec narrow = field(&Sample::count, "count", "no range of its own").spec;
  EXPECT_EQ(check_value(narrow, std::int64_t{2147483647}), "");
  EXPECT_NE(check_value(narrow, std::int64_t{2147483648}), "");
}

TEST(RangeText, ReadsLikeASentence) {
  FieldSpec spec;
  EXPECT_EQ(range_text(spec), "");
  spec.minimum = 0;
  EXPECT_EQ(range_text(spec), "0 or more");
  spec.minimum_excluded = true;
  EXPECT_EQ(range_text(spec), "more than 0");
  spec.maximum = 10'000'000;
  EXPECT_EQ(range_text(spec), "more than 0, at most 10,000,000");
  spec.minimum_excluded = false;
  spec.maximum = 0.25;
  EXPECT_EQ(range_text(spec), "0 to 0.25");
  spec.minimum = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(range_text(spec), "at most 0.25");
}

TEST(ToText, IsWhatTomlReadsBackAsTheSameType) {
  EXPECT_EQ(to_text(true), "true");
  EXPECT_EQ(to_text(std::int64_t{-8}), "-8");
  EXPECT_EQ(to_text(4.0), "4.0");
  EXPECT_EQ(to_text(0.004), "0.004");
  EXPECT_EQ(to_text(1e-9), "1e-09");
  EXPECT_EQ(to_text(std::string("a \"b\" \\ \t")), "\"a \\\"b\\\" \\\\ \\u0009\"");
}

}  // namespace
}  // namespace moescope::config
