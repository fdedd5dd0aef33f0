#include "core/corpus/document_cache.h"

#include <gmock/gmock.h>

#include <sstream>

#include "core/corpus/sealed_file.h"
#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class DocumentCacheTest : public FolderTest {
 protected:
  std::string bytes_of(const std::string& name) const {
    std::ostringstream all;
    all << std::ifstream(path(name), std::ios::binary).rdbuf();
    return all.str();
  }
  std::vector<std::string> notes_;
};

DocumentSet small_set() {
  return {"small", "a_1", {"a", "b"}, {{0, "one", "first\n"}, {1, "two", "second \xC3\xA4\n"}}, {"a note"}};
}

TEST_F(DocumentCacheTest, DocumentsComeBack) {
  ASSERT_TRUE(save_documents(path("sub/a.text"), small_set()));
  const auto set = load_documents(path("sub/a.text"), notes_);
  ASSERT_TRUE(set);
  EXPECT_EQ(identity_of(*set), identity_of(small_set()));
  EXPECT_EQ(set->notes, small_set().notes);
  EXPECT_THAT(notes_, IsEmpty());
}

PairSet small_pairs() {
  return {"pairs",
          "a_1",
          {{"en", "English", 0}, {"fr", "Français", 2}},
          {{1, "git", 0, "one", "un"}, {1, "a", 7, "two", "deux"}},
          {"a note"}};
}

TEST_F(DocumentCacheTest, PairsComeBack) {
  ASSERT_TRUE(save_pairs(path("a.pairs"), small_pairs()));
  const auto set = load_pairs(path("a.pairs"), notes_);
  ASSERT_TRUE(set);
  EXPECT_EQ(identity_of(*set), identity_of(small_pairs()));
  EXPECT_EQ(set->languages[1].label, "Français");
  EXPECT_EQ(set->languages[1].num_pairs, 2);
  EXPECT_EQ(set->pairs[1].line, 7);
  EXPECT_EQ(set->notes, small_pairs().notes);
  EXPECT_FALSE(load_documents(path("a.pairs"), notes_)) << "of another kind";
}

TEST_F(DocumentCacheTest, PairsOfALanguageThatIsNotThereAreRefused) {
  for (const int label : {-1, 0, 2}) {
    PairSet set = small_pairs();
    set.pairs[0].label = static_cast<std::int16_t>(label);
    ASSERT_TRUE(save_pairs(path("a.pairs"), set));
    EXPECT_FALSE(load_pairs(path("a.pairs"), notes_)) << label;
  }
}

TEST_F(DocumentCacheTest, TokensComeBackForTheirTokenizerOnly) {
  const DocumentTokens tokens{{1, 2, 3}, {}, {7}};
  ASSERT_TRUE(save_tokens(path("a.tokens"), "abc", tokens));
  EXPECT_EQ(load_tokens(path("a.tokens"), 3, 8, "abc", notes_), tokens);
  EXPECT_FALSE(load_tokens(path("a.tokens"), 3, 8, "other", notes_));
  EXPECT_FALSE(load_tokens(path("a.tokens"), 2, 8, "abc", notes_));
  EXPECT_FALSE(load_tokens(path("a.tokens"), 3, 7, "abc", notes_)) << "7 is no id of a vocabulary of 7";
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(DocumentCacheTest, AMissingFileIsNoNote) {
  EXPECT_FALSE(load_documents(path("none"), notes_));
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(DocumentCacheTest, NoDamagedByteGoesUnnoticed) {
  ASSERT_TRUE(save_documents(path("a.text"), small_set()));
  const std::string whole = bytes_of("a.text");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    write("b.text", damaged);
    EXPECT_FALSE(load_documents(path("b.text"), notes_)) << "byte " << i;
    write("b.text", whole.substr(0, i));
    EXPECT_FALSE(load_documents(path("b.text"), notes_)) << "cut at " << i;
  }
  notes_.clear();
  EXPECT_FALSE(load_documents(path("b.text"), notes_));
  EXPECT_THAT(notes_, ElementsAre("a damaged cache file was made again: b.text"));
}

TEST_F(DocumentCacheTest, ASealedButSenselessFileAsksForNoMemory) {
  ByteWriter writer;
  writer.text("name");
  writer.text("source");
  writer.number(std::int64_t{1} << 60);
  ASSERT_TRUE(write_sealed(path("a.text"), "documents", writer.bytes()));
  EXPECT_FALSE(load_documents(path("a.text"), notes_));
}

TEST_F(DocumentCacheTest, AFileTooLargeIsRefused) {
  ASSERT_TRUE(write_sealed(path("a"), "kind", std::string(5000, 'x')));
  const auto read = read_sealed(path("a"), "kind", 1000);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(message(read.error()),
            "DIR/a: error: is damaged: it is larger than 1,000 bytes\n"
            "hint: delete it; it is made again when needed\n");
}

TEST_F(DocumentCacheTest, WhatCannotBeWrittenIsAMessageAndLeavesNothing) {
  write("file", "in the way");
  const Status saved = save_documents(path("file/a.text"), small_set());
  ASSERT_FALSE(saved.has_value());
  EXPECT_EQ(message(saved.error()),
            "DIR/file/a.text: error: cannot be written: Not a directory\n"
            "hint: free some space, or name another cache folder with MOESCOPE_CACHE\n");
}

TEST_F(DocumentCacheTest, OldModelsAreForgottenButThoseOfManuals) {
  write("manuals-1.model", "m");
  for (int i = 0; i < 40; ++i) {
    write(std::to_string(i) + ".tokens", "t");
    const std::string file = write(std::to_string(i) + ".model", "m");
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(i));
  }
  forget_old_models(path(""));
  EXPECT_TRUE(std::filesystem::exists(path("manuals-1.model")));
  EXPECT_TRUE(std::filesystem::exists(path("23.model")));
  EXPECT_FALSE(std::filesystem::exists(path("24.model")));
  EXPECT_TRUE(std::filesystem::exists(path("23.tokens")));
  EXPECT_FALSE(std::filesystem::exists(path("24.tokens"))) << "tokens without their tokenizer are of no use";
}

}  // namespace
}  // namespace moescope::corpus
