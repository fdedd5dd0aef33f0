#include "core/corpus/jsonl.h"

#include <gtest/gtest.h>

namespace moescope::corpus {
namespace {

constexpr const char* kHint = "hint: each line is one object with its document in the field \"text\"\n";

std::string failure(std::string_view content) {
  const auto read = read_jsonl(content, "a.jsonl");
  return read ? "no failure" : format(read.error());
}

TEST(Jsonl, TakesTheFieldTextOfEachLine) {
  const auto read =
      read_jsonl("{\"text\":\"one\\ntwo\",\"id\":1}\n\n{\"meta\":{\"text\":[1,{}]},\"text\":\"\\u00e4\"}\n", "a.jsonl");
  ASSERT_TRUE(read.has_value()) << format(read.error());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].text, "one\ntwo");
  EXPECT_EQ((*read)[1].text, "ä");
  EXPECT_EQ((*read)[1].line, 3);
}

TEST(Jsonl, NamesTheLineOfEveryMistake) {
  EXPECT_EQ(failure("{\"text\":\"a\"}\n{\"text\":5}\n{\"txt\":\"a\"}\n[1]\n\"a\"\n{\"text\":{}}\n"),
            std::string("a.jsonl:2:1: error: this line has a number in its field \"text\", not a string\n") + kHint +
                "a.jsonl:3:1: error: this line has no field \"text\"\n" + kHint +
                "a.jsonl:4:1: error: this line is a list, not an object\n" + kHint +
                "a.jsonl:5:1: error: this line is a string, not an object\n" + kHint +
                "a.jsonl:6:1: error: this line has an object in its field \"text\", not a string\n" + kHint);
  EXPECT_EQ(failure("{\"text\":\"a\" oops}"), std::string("a.jsonl:1:13: error: this line is not JSON\n") + kHint);
}

TEST(Jsonl, GivesUpAfterTenMistakes) {
  std::string content;
  for (int i = 0; i < 100; ++i) content += "x\n";
  const auto read = read_jsonl(content, "a.jsonl");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().size(), 10u);
}

TEST(Jsonl, DepthCostsNothing) {
  const std::string deep = "{\"text\":\"a\",\"x\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  EXPECT_TRUE(read_jsonl(deep, "a.jsonl").has_value());
}

}  // namespace
}  // namespace moescope::corpus
