#include "core/corpus/files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "core/corpus/text_file.h"
#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FilesTest : public FolderTest {
 protected:
  static void quiet(const std::string&, double) {}
  Result<DocumentSet> read(const std::string& name) const { return read_text_corpus(path(name), quiet, {}); }
  std::string failure(const std::string& name) const {
    const auto set = read(name);
    return set ? "no failure" : message(set.error());
  }
};

std::string joined(const std::vector<Piece>& pieces) {
  std::string text;
  for (const Piece& piece : pieces) text += piece.text;
  return text;
}

TEST(Pieces, PutTogetherAreTheText) {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("\n\n\na\n\n"), passages_of_text(0, 50), std::string(10'000, 'x'),
        std::string(3000, '\n'), passages_of_text(0, 9) + std::string(5000, 'y') + "\n\n" + passages_of_text(9, 9)}) {
    const auto pieces = cut_into_pieces(text, 400, 4000);
    EXPECT_EQ(joined(pieces), text);
    for (const Piece& piece : pieces) EXPECT_LE(piece.text.size(), 4000u);
  }
}

TEST(Pieces, BeginWithAPassageAndKnowTheirLine) {
  const auto pieces = cut_into_pieces("one\ntwo\n\n\nthree\n\nfour\n", 9, 100);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].text, "one\ntwo\n\n\n");
  EXPECT_EQ(pieces[1].text, "three\n\nfour\n");
  EXPECT_EQ(pieces[1].line, 5);
}

TEST(Pieces, CutNoCharacter) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\xE4\xB8\xAD";
  const auto pieces = cut_into_pieces(text, 10, 100);
  EXPECT_EQ(joined(pieces), text);
  for (const Piece& piece : pieces) EXPECT_EQ(piece.text.size() % 3, 0u);
}

TEST(Pieces, OfTextThatGrowsAtItsEndStayTheSame) {
  const auto before = cut_into_pieces(passages_of_text(0, 60), 400, 4000);
  const auto after = cut_into_pieces(passages_of_text(0, 80), 400, 4000);
  for (std::size_t i = 0; i + 1 < before.size(); ++i) EXPECT_EQ(before[i].text, after[i].text);
}

TEST_F(FilesTest, AFileIsOneDomainInManyDocuments) {
  write("notes.txt", passages_of_text(0, 60));
  const auto set = read("notes.txt");
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->name, "notes.txt");
  EXPECT_THAT(set->labels, ElementsAre("notes.txt"));
  EXPECT_GT(set->documents.size(), 10u);
  EXPECT_EQ(set->documents[0].name, "notes.txt:1");
}

TEST_F(FilesTest, SubFoldersAreDomainsHoweverDeep) {
  write("texts/de/a.txt", passages_of_text(0, 10));
  write("texts/de/deep/er/b.txt", passages_of_text(10, 10));
  write("texts/fr/c.txt", passages_of_text(20, 10));
  write("texts/beside.txt", passages_of_text(30, 10));
  write("texts/.hidden/d.txt", "not read");
  write("texts/fr/.e.txt", "not read");
  const auto set = read("texts/");
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->name, "texts");
  EXPECT_THAT(set->labels, ElementsAre("de", "fr", "texts"));
  std::map<std::string, std::string> label_of_file;
  for (const Document& document : set->documents)
    label_of_file[document.name.substr(0, document.name.find(':'))] =
        set->labels[static_cast<std::size_t>(document.label)];
  const std::map<std::string, std::string> expected{
      {"beside.txt", "texts"}, {"de/a.txt", "de"}, {"de/deep/er/b.txt", "de"}, {"fr/c.txt", "fr"}};
  EXPECT_EQ(label_of_file, expected);
}

TEST_F(FilesTest, FewFilesAreDomainsManyAreOne) {
  for (int i = 0; i < 12; ++i) write("few/" + std::to_string(i) + ".txt", passages_of_text(10 * i, 10));
  EXPECT_EQ(read("few")->labels.size(), 12u);
  for (int i = 0; i < 13; ++i) write("many/" + std::to_string(i) + ".txt", passages_of_text(10 * i, 10));
  const auto many = read("many");
  EXPECT_THAT(many->labels, ElementsAre("many"));
  EXPECT_EQ(many->documents.size(), 13u) << "whole files";
}

TEST_F(FilesTest, JsonLinesAreDocuments) {
  write("a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n");
  const auto set = read("a.jsonl");
  ASSERT_EQ(set->documents.size(), 2u);
  EXPECT_EQ(set->documents[1].name, "a.jsonl:2");
  write("bad.jsonl", "{\"text\":\"one\"}\n{}\n");
  EXPECT_EQ(failure("bad.jsonl"),
            "DIR/bad.jsonl:2:1: error: this line has no field \"text\"\n"
            "hint: each line is one object with its document in the field \"text\"\n");
}

TEST_F(FilesTest, AnEmptyFileIsRefused) {
  write("empty", "");
  EXPECT_EQ(failure("empty"), "DIR/empty: error: is empty\nhint: name a file with text\n");
  write("blank", " \n\n");
  EXPECT_EQ(failure("blank"), "DIR/blank: error: holds nothing but white space\nhint: name a file with text\n");
}

TEST_F(FilesTest, AFolderWithoutTextIsRefused) {
  std::filesystem::create_directory(path("bare"));
  EXPECT_EQ(failure("bare"),
            "DIR/bare: error: this folder holds no files\n"
            "hint: put UTF-8 text files or .jsonl files into it\n");
  write("other/picture.png", std::string("\x89PNG\0", 5));
  write("other/empty.txt", "");
  EXPECT_EQ(failure("other"),
            "DIR/other: error: this folder holds no text: empty.txt (is empty), "
            "picture.png (is not text: byte 0x00 at offset 4 stands in no text file)\n"
            "hint: put UTF-8 text files or .jsonl files into it\n");
}

TEST_F(FilesTest, UnusableFilesOfAFolderAreLeftOutWithANote) {
  write("texts/good.txt", passages_of_text(0, 10));
  for (int i = 0; i < 5; ++i) write("texts/z" + std::to_string(i), "");
  const auto set = read("texts");
  ASSERT_TRUE(set.has_value());
  EXPECT_THAT(set->notes, ElementsAre("left out: z0 (is empty), z1 (is empty), z2 (is empty) and 2 more"));
  EXPECT_THAT(set->labels, ElementsAre("good.txt"));
}

TEST_F(FilesTest, LinksLeadNowhereTwice) {
  write("texts/a/good.txt", passages_of_text(0, 10));
  std::filesystem::create_directory_symlink("..", path("texts/a/up"));
  std::filesystem::create_symlink("self", path("texts/a/self"));
  const auto set = read("texts");
  ASSERT_TRUE(set.has_value());
  for (const Document& document : set->documents) EXPECT_THAT(document.name, HasSubstr("a/good.txt"));
}

TEST_F(FilesTest, AFolderThatMayNotBeReadIsRefused) {
  write("closed/a.txt", "text");
  ASSERT_EQ(::chmod(path("closed").c_str(), 0), 0);
  const std::string text = as_ordinary_user([&] { return failure("closed"); });
  ::chmod(path("closed").c_str(), 0700);
  EXPECT_EQ(text,
            "DIR/closed: error: cannot be read: you have no permission\n"
            "hint: make the folder readable (chmod u+rx), or copy it\n");
}

TEST_F(FilesTest, AFolderOfTooMuchTextIsRefused) {
  const std::string line(1000, 'x');
  std::string text;
  while (text.size() < kMaxCorpusBytes / 2 + 1000) text += line + '\n';
  write("big/a.txt", text);
  write("big/b.txt", text);
  EXPECT_EQ(failure("big"), "DIR/big: error: holds more than 67,108,864 bytes of text\nhint: name a smaller folder\n");
}

}  // namespace
}  // namespace moescope::corpus
