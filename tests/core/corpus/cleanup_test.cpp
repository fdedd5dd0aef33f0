#include "core/corpus/cleanup.h"

#include <gmock/gmock.h>

#include "core/corpus/manual_pages.h"
#include "core/corpus/process.h"
#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

using testing::ElementsAre;

TEST(Cleanup, OverstrikeGoesWithItsWholeCharacter) {
  EXPECT_EQ(strip_overstrike("N\bNA\bAM\bME\bE _\bf_\bi\xC3\xA4\b\xC3\xA4"), "NAME fi\xC3\xA4");
  EXPECT_EQ(strip_overstrike("\b\ba"), "a");
}

TEST(Cleanup, PassagesStandBetweenBlankLines) {
  EXPECT_THAT(passages("\n\na\nb\n \nc"), ElementsAre("a\nb\n", "c"));
  EXPECT_TRUE(passages(" \n").empty());
}

TEST(Cleanup, RepeatedPassagesGo) {
  const std::string licence = "This notice of 2001 stands in each and every file, and says that nothing is promised.\n";
  const std::string other = "This notice of 1999 stands in each and every file, and says that nothing is promised.\n";
  std::vector<Document> documents;
  for (int i = 0; i < 4; ++i) {
    const std::string own(3, static_cast<char>('a' + i));
    documents.push_back({0, own, own + "\n\n" + (i % 2 ? licence : other) + "\nshort\n"});
  }
  drop_repeated_passages(documents, 3);
  EXPECT_EQ(documents[0].text, "aaa\n\nshort\n");
  EXPECT_EQ(documents[3].text, "ddd\n\nshort\n");
}

TEST(Cleanup, LicencesGoFromSourcesAndCommentsStayClosed) {
  EXPECT_EQ(without_licences(
                "/* What it is for.\n   Copyright (C) 1999 Somebody\n\n   No WARRANTY. */\n\nint a;  /* kept */\n"),
            "/* What it is for.  */\n\nint a;  /* kept */\n");
  EXPECT_EQ(without_licences("/*\n * Copyright 1999\n */\nint a;\n"), "int a;\n");
  EXPECT_EQ(without_licences("# Copyright 1999 Somebody\n# All rights reserved.\n\nimport os\n"), "import os\n");
}

TEST(Cleanup, CutsAfterALine) {
  EXPECT_EQ(cut_after_line("one\ntwo\nthree\n", 9), "one\ntwo\n");
  EXPECT_EQ(cut_after_line("one\n", 9), "one\n");
}

class PageTest : public FolderTest {
 protected:
  std::string rendered(const std::string& source, Language language = Language::kEnglish) const {
    const std::string file = write("man1/page.1", source);
    const auto result = run_process({{"mandoc", "-T", "utf8", "-O", "width=1000", file}, {}, 1 << 20, {}}, {});
    EXPECT_TRUE(result.has_value());
    return result ? clean_manual_page(result->output, language) : "";
  }
};

constexpr const char* kHead = ".TH PAGE 1 \"2024-01-01\" \"Version 1\" \"Manual\"\n";

TEST_F(PageTest, IsRunningText) {
  std::string text = kHead;
  text += ".SH NAME\npage \\- a \\fBbold\\fP and \\fIslanted\\fP page\n.SH DESCRIPTION\n";
  for (int i = 0; i < 200; ++i) text += "word" + std::to_string(i) + "\n";
  text +=
      ".TP\n\\fB\\-a\\fP\nAll of it.  Really.\n.SH COLOPHON\nThis page is part of a release.\n.SH AUTHOR\nSomebody.\n";
  const std::string page = rendered(text);
  std::string words;
  for (int i = 0; i < 200; ++i) words += (i ? " word" : "word") + std::to_string(i);
  EXPECT_EQ(page, "NAME\npage - a bold and slanted page\n\nDESCRIPTION\n" + words + "\n\n-a  All of it. Really.\n");
}

TEST_F(PageTest, KeepsTheShapeOfProgramText) {
  EXPECT_EQ(
      rendered(std::string(kHead) +
               ".SH EXAMPLES\nLook:\n.PP\n.in +4n\n.EX\nint f()\n{\n    if (a) {\n        b();\n    }\n}\n.EE\n.in\n"),
      "EXAMPLES\nLook:\n\n    int f()\n    {\n        if (a) {\n            b();\n        }\n    }\n");
}

TEST_F(PageTest, LosesPassagesThatWereNotTranslated) {
  const std::string page = std::string(kHead) +
                           ".SH BESCHREIBUNG\nDas ist eine Seite, die nicht ganz \\(:ubersetzt wurde.\n.PP\n"
                           "This is the part that was not translated, as it is new.\n.PP\nUnd weiter mit dem Text.\n";
  EXPECT_EQ(rendered(page, Language::kGerman),
            "BESCHREIBUNG\nDas ist eine Seite, die nicht ganz übersetzt wurde.\n\nUnd weiter mit dem Text.\n");
}

TEST_F(PageTest, LosesTheRulersOfTables) {
  const std::string page = rendered(std::string(kHead) + ".SH TABLE\n.TS\nallbox;\nl l.\na\tb\nc\td\n.TE\n");
  EXPECT_EQ(page, "TABLE\n\n a  b\n c  d\n");
}

TEST_F(PageTest, PagesAreFoundRenderedAndNamedAndLinksSkipped) {
  const std::string body = std::string(kHead) + ".SH NAME\none \\- ";
  for (int i = 0; i < 40; ++i)
    write("man/man3/page" + std::to_string(i) + ".3type",
          body + std::string(300, static_cast<char>('a' + i % 20)) + "\n");
  std::filesystem::create_symlink("page0.3type", path("man/man3/link.3type"));
  write("man/man3/short.3", std::string(kHead) + ".SH NAME\nshort\n");
  write("man/de/man3/other.3", body);
  const auto pages = render_manual_pages(path("man"), Language::kEnglish, 1'000'000, 10'000, [](double) {}, {});
  ASSERT_TRUE(pages.has_value());
  EXPECT_EQ(pages->size(), 40u);
  EXPECT_EQ((*pages)[0].name.substr((*pages)[0].name.find('(')), "(3type)");
  const auto few = render_manual_pages(path("man"), Language::kEnglish, 500, 10'000, [](double) {}, {});
  EXPECT_EQ((*few)[0].name, (*pages)[0].name) << "the order does not depend on the amount";
  EXPECT_EQ(page_name("/a/man1/ls.1.gz"), "ls(1)");
  EXPECT_EQ(page_name("/a/man7/utf-8.7"), "utf-8(7)");
}

}  // namespace
}  // namespace moescope::corpus
