#include "core/corpus/aligned_files.h"

#include <gmock/gmock.h>

#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AlignedFilesTest : public FolderTest {
 protected:
  Result<PairSet> read(const std::string& source, const std::string& target) const {
    return read_aligned_files(path(source), path(target), [](const std::string&, double) {}, {});
  }
  std::string failure(const std::string& source, const std::string& target) const {
    const auto set = read(source, target);
    return set ? "no failure" : message(set.error());
  }
};

TEST_F(AlignedFilesTest, ArePairedLineByLine) {
  write("train.en", "One.\r\n  two  words\nthree\n");
  write("train.de", "Eins.\nzwei Wörter\ndrei");
  const auto set = read("train.en", "train.de");
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->name, "train.en, train.de");
  ASSERT_EQ(set->languages.size(), 2u);
  EXPECT_EQ(set->languages[0].label, "en");
  EXPECT_EQ(set->languages[1].label, "de");
  EXPECT_EQ(set->languages[1].num_pairs, 3);
  ASSERT_EQ(set->pairs.size(), 3u);
  EXPECT_EQ(set->pairs[1].first, "two words");
  EXPECT_EQ(set->pairs[1].second, "zwei Wörter");
  EXPECT_EQ(set->pairs[1].name, "train");
  EXPECT_EQ(set->pairs[1].line, 2);
  EXPECT_THAT(set->notes, IsEmpty());
}

TEST_F(AlignedFilesTest, AreNamedByWhatTellsThemApart) {
  write("en/a.txt", "one\n");
  write("de/a.txt", "eins\n");
  write("b.txt", "eins\n");
  EXPECT_EQ(read("en/a.txt", "b.txt")->languages[1].label, "b.txt");
  const auto set = read("en/a.txt", "de/a.txt");
  EXPECT_EQ(set->languages[0].label, path("en/a.txt"));
  EXPECT_EQ(set->pairs[0].name, "a");
}

TEST_F(AlignedFilesTest, BlankPairsAreLeftOutWithANote) {
  write("a.en", "one\n\n \nfour\n\n");
  write("a.de", "eins\nzwei\n\n\n \n");
  const auto set = read("a.en", "a.de");
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->pairs.size(), 1u);
  EXPECT_THAT(set->notes, ElementsAre("4 lines left out that are blank on one side or both"));
}

TEST_F(AlignedFilesTest, UnequalNumbersOfLinesNameTheFirstWithoutPartner) {
  write("a.en", "one\ntwo\nthree\n");
  write("a.de", "eins\n");
  EXPECT_EQ(failure("a.en", "a.de"),
            "DIR/a.en:2:1: error: this line has no partner: DIR/a.en has 3 lines, DIR/a.de has 1 line\n"
            "hint: line n of one file translates line n of the other; align them, then try again\n");
  EXPECT_EQ(failure("a.de", "a.en"),
            "DIR/a.en:2:1: error: this line has no partner: DIR/a.de has 1 line, DIR/a.en has 3 lines\n"
            "hint: line n of one file translates line n of the other; align them, then try again\n");
}

TEST_F(AlignedFilesTest, WhatCannotBeReadIsAMessage) {
  write("a.en", "one\n");
  EXPECT_EQ(failure("a.en", "none.de"), "DIR/none.de: error: there is no such file\nhint: check the path\n");
  EXPECT_EQ(failure("none.en", "a.en"), "DIR/none.en: error: there is no such file\nhint: check the path\n");
  write("latin.de",
        "gr\xF6\xDF"
        "er\n");
  EXPECT_EQ(failure("a.en", "latin.de"),
            "DIR/latin.de:1:3: error: is not UTF-8: byte 0xF6 at offset 2\n"
            "hint: convert it, for example from Latin-1: iconv -f ISO-8859-1 -t UTF-8\n");
  write("empty.de", "");
  EXPECT_EQ(failure("a.en", "empty.de"),
            "DIR/empty.de: error: is empty\nhint: name a file with a sentence on each line\n");
  EXPECT_EQ(failure("a.en", "a.en"),
            "DIR/a.en: error: is the file of the source too\n"
            "hint: name the file of the translations with data.target\n");
  write("blank.de", "\n");
  EXPECT_EQ(failure("a.en", "blank.de"),
            "DIR/a.en: error: has no line with a translation: every pair has a blank side\n"
            "hint: line n of one file translates line n of the other; align them, then try again\n");
  std::filesystem::create_directory(path("folder"));
  EXPECT_EQ(failure("a.en", "folder"),
            "DIR/folder: error: is neither a file nor a folder\n"
            "hint: name a UTF-8 text file, a .jsonl file, or a folder of them\n");
}

}  // namespace
}  // namespace moescope::corpus
