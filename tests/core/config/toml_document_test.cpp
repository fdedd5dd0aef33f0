#include "core/config/toml_document.h"

#include <gtest/gtest.h>

#include "core/base/seed.h"

namespace moescope::config {
namespace {

std::string refusal(const std::string& text) {
  const auto document = parse_toml(text, "run.toml");
  return document ? "accepted" : format(document.error());
}

TEST(TomlDocument, GivesEveryEntryFlatWithItsPlaces) {
  const auto document =
      parse_toml("name = \"x\"\n[moe]\nmethod = \"smoe\"\n  [moe.router]\n  top_k = 9 # nine\n", "run.toml");
  ASSERT_TRUE(document);
  ASSERT_EQ(document->entries.size(), 3U);
  const TomlEntry& top_k = document->entries[2];
  EXPECT_EQ(top_k.key, "moe.router.top_k");
  EXPECT_EQ(std::get<std::int64_t>(*top_k.value), 9);
  EXPECT_EQ(top_k.value_place.line, 5);
  EXPECT_EQ(top_k.value_place.column, 11);
  EXPECT_EQ(top_k.key_place.column, 3);
  EXPECT_EQ(top_k.value_place.source_line, "  top_k = 9 # nine");
  ASSERT_EQ(document->tables.size(), 2U);
  EXPECT_EQ(document->tables[1].name, "moe.router");
  EXPECT_EQ(document->tables[1].place.line, 4);
}

TEST(TomlDocument, DottedKeysAndInlineTablesAreTheSameThing) {
  const auto document = parse_toml("moe.router.top_k = 2\nmodel = { d_model = 8, norm = 'pre' }\n", "run.toml");
  ASSERT_TRUE(document);
  ASSERT_EQ(document->entries.size(), 3U);
  EXPECT_EQ(document->entries[0].key, "moe.router.top_k");
  EXPECT_EQ(document->entries[1].key, "model.d_model");
}

TEST(TomlDocument, KeysThatAreNoBareKeysStayInQuotes) {
  const auto document = parse_toml("\"a.b\" = 1\n\"ä\" = 2\n", "run.toml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->entries[0].key, "\"a.b\"");
  EXPECT_EQ(document->entries[1].key, "\"ä\"");
}

TEST(TomlDocument, TypesNoFieldHasAreNamed) {
  const auto document = parse_toml("a = [1, 2]\nb = 2026-01-01\nc = 10:00:00\n", "run.toml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->entries[0].other_type, "an array");
  EXPECT_EQ(document->entries[1].other_type, "a date");
  EXPECT_EQ(document->entries[2].other_type, "a time");
}

TEST(TomlDocument, SyntaxErrorsHaveAPlace) {
  EXPECT_EQ(refusal("name = \"x\"\nlr == 3\n"),
            "run.toml:2:5: error: not valid TOML: value: could not determine value type\n"
            "    2 | lr == 3\n"
            "      |     ^\n");
  EXPECT_EQ(refusal("a = 1\na = 2\n"),
            "run.toml:2:5: error: not valid TOML: key-value pair: cannot redefine existing integer 'a'\n"
            "    2 | a = 2\n"
            "      |     ^\n");
}

TEST(TomlDocument, InputThatTripsTheParserIsAMessage) {
  for (const char* line : {"[.]", "[=]", "[)x]", "[[#]]"}) {
    const auto document = parse_toml(std::string("name = \"x\"\n\n  ") + line + "\nseed = 1\n", "run.toml");
    ASSERT_FALSE(document) << line;
    EXPECT_EQ(document.error().front().place.line, 3) << line;
    EXPECT_GE(document.error().front().place.column, 3) << line;
  }
  EXPECT_EQ(refusal("seed = 1\n[=]\n"),
            "run.toml:2:1: error: this line is not valid TOML\n"
            "    2 | [=]\n"
            "      | ^\n"
            "hint: write [section] or key = value\n");
}

TEST(TomlDocument, RefusesWhatNoConfigurationNeeds) {
  EXPECT_EQ(refusal(std::string(300000, '#')),
            "run.toml: error: the file has 300,000 bytes, a configuration may have 262,144\n"
            "hint: is this the right file?\n");
  EXPECT_EQ(refusal("a = 1\n#" + std::string(2000, 'x')),
            "run.toml:2:1025: error: this line has 2,001 bytes, allowed are 1,024\n");
  EXPECT_EQ(refusal(std::string("a = 1\nb = \"x\0y\"\n", 16)),
            "run.toml:2:7: error: this line contains the control character \\x00\n"
            "    2 | b = \"x\\x00y\"\n"
            "      |       ^\n"
            "hint: remove it\n");
  EXPECT_EQ(refusal("name = \"\xff\"\n"),
            "run.toml:1:9: error: this line is not valid UTF-8\n"
            "    1 | name = \"\\xFF\"\n"
            "      |         ^\n"
            "hint: save the file as UTF-8\n");
  std::string dots = "a";
  for (int i = 0; i < 500; ++i) dots += ".a";
  EXPECT_NE(refusal(dots + " = 1").find("run.toml:1:17: error: keys are nested deeper than 8 levels"),
            std::string::npos)
      << refusal(dots + " = 1");
}

TEST(TomlDocument, AcceptsCarriageReturnsTabsAndForeignLetters) {
  const auto document = parse_toml("# Größe\r\nname\t= \"größer\"\r\n", "run.toml");
  ASSERT_TRUE(document) << format(document.error());
  EXPECT_EQ(std::get<std::string>(*document->entries[0].value), "größer");
  EXPECT_EQ(document->entries[0].value_place.source_line, "name\t= \"größer\"");
}

// A seeded stand-in for a fuzzer: pieces of TOML thrown together. Whatever comes, there is a document or a place.
TEST(TomlDocument, SurvivesGarbledInput) {
  const std::vector<std::string> pieces{
      "[",    "]",          "[[",        "]]", ".",           "=",   "\"",
      "'",    "\"\"\"",     "'''",       "#",  "{",           "}",   ",",
      "\n",   "\r\n",       " ",         "\t", "a",           "moe", "-",
      "+",    "1",          "0x",        "1e", "inf",         "nan", "true",
      "fals", "2026-01-01", "T10:00:00", "\\", "\\u00",       "ä",   "\xF0\x9F\x99\x82",
      ")",    "_",          "1979-",     ":",  "\xEF\xBB\xBF"};
  SeededWords words(20260101);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (std::uint64_t i = words.below(14); i > 0; --i) text += pieces[words.below(pieces.size())];
    const auto document = parse_toml(text, "f");
    if (document) continue;
    for (const Diagnostic& diagnostic : document.error()) {
      ASSERT_GE(diagnostic.place.line, 1) << text;
      ASSERT_GE(diagnostic.place.column, 1) << text;
    }
  }
}

}  // namespace
}  // namespace moescope::config
