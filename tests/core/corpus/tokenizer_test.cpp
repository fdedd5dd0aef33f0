#include "core/corpus/tokenizer.h"

#include <gmock/gmock.h>

#include "core/base/seed.h"
#include "core/corpus/synthetic.h"
#include "tests/core/corpus/corpus_fixture.h"

namespace moescope::corpus {
namespace {

class TokenizerTest : public FolderTest {
 protected:
  std::shared_ptr<const Tokenizer> trained(int vocab_size = 512) {
    auto tokenizer = train_bpe({text_}, vocab_size, path("a.model"));
    EXPECT_TRUE(tokenizer.has_value()) << message(tokenizer.error());
    return *tokenizer;
  }
  std::string text_ = passages_of_text(0, 400) + "int main() {\n    return 0;\n}\n\tÄpfel und Öl für 3 €\n";
};

std::vector<std::string> difficult_texts() {
  return {"",
          " ",
          "\n",
          "\n\n\n  a\n\tb\r\n",
          "two  spaces   three    four ",
          "    if (x) {\n        y();\n    }\n",
          "grüße, señor, façade",
          "emoji \U0001F600 and \U0001F1E9\U0001F1EA, Chinese \u4E2D\u6587",
          "the sign of SentencePiece itself: \u2581 \u2581\u2581",
          "replacement \uFFFD stays",
          "<unk> <s> </s> <0x41> <pad>",
          std::string("zero \0 byte", 11),
          "invalid \xFF\xFE bytes \xE2\x96 cut short \xE2",
          "bell \a, escape \x1B[0m, delete \x7F"};
}

std::string random_bytes(std::uint64_t seed) {
  SeededWords draw(seed);
  std::string text;
  for (std::uint64_t left = draw.below(200); left > 0; --left) {
    // Half of them of few values, so that valid and nearly valid sequences appear.
    constexpr std::string_view kLikely = " \n\ta\xE2\x96\x81\xC3\xA4\xF0";
    text += draw.below(2) == 0 ? static_cast<char>(draw.below(256)) : kLikely[draw.below(kLikely.size())];
  }
  return text;
}

TEST_F(TokenizerTest, DecodingGivesEveryTextBack) {
  for (const auto& tokenizer : {trained(), byte_tokenizer()}) {
    for (const std::string& text : difficult_texts()) EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      const std::string text = random_bytes(seed);
      ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text) << "seed " << seed;
    }
  }
}

TEST_F(TokenizerTest, BpePiecesAreLongerThanBytes) {
  const auto tokenizer = trained();
  EXPECT_EQ(tokenizer->vocab_size(), 512);
  EXPECT_LT(tokenizer->encode(text_).size(), text_.size() / 3);
}

TEST_F(TokenizerTest, PiecesAreReadable) {
  const auto bytes = byte_tokenizer();
  EXPECT_EQ(bytes->piece('a'), "a");
  EXPECT_EQ(bytes->piece('\n'), "\\x0A");
  EXPECT_EQ(bytes->piece(0xC3), "\\xC3");
  const auto tokenizer = trained();
  std::vector<std::string> pieces;
  for (const std::int32_t id : tokenizer->encode(" square\n")) pieces.push_back(tokenizer->piece(id));
  EXPECT_THAT(pieces, testing::ElementsAre(" square", "\\x0A"));
}

TEST_F(TokenizerTest, TrainingIsDeterministicAndLoadingGivesTheSame) {
  const auto first = trained();
  const auto loaded = load_bpe(path("a.model"));
  ASSERT_TRUE(loaded.has_value());
  const auto second = train_bpe({text_}, 512, path("b.model"));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(first->identity(), (*second)->identity());
  EXPECT_EQ(first->identity(), (*loaded)->identity());
  EXPECT_EQ(first->encode(text_), (*loaded)->encode(text_));
  EXPECT_NE(first->identity(), trained(400)->identity());
}

TEST_F(TokenizerTest, LittleTextGivesFewerPieces) {
  const auto tokenizer = train_bpe({"a short text about a short text\n"}, 4096, path("a.model"));
  ASSERT_TRUE(tokenizer.has_value()) << message(tokenizer.error());
  EXPECT_LT((*tokenizer)->vocab_size(), 400);
  EXPECT_GT((*tokenizer)->vocab_size(), 257);
}

TEST_F(TokenizerTest, ManyDifferentCharactersStillLeaveRoomForPieces) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {  // U+4E00 and following
    const int code = 0x4E00 + i;
    text += {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
             static_cast<char>(0x80 | (code & 0x3F)), i % 20 == 0 ? '\n' : ' '};
  }
  const auto tokenizer = train_bpe({text}, 400, path("a.model"));
  ASSERT_TRUE(tokenizer.has_value()) << message(tokenizer.error());
  EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text)), text);
}

TEST_F(TokenizerTest, TooFewPiecesAreRefused) {
  const auto tokenizer = train_bpe({text_}, 256, path("a.model"));
  ASSERT_FALSE(tokenizer.has_value());
  EXPECT_EQ(message(tokenizer.error()),
            "error: 'vocab_size' is 256, but the bpe tokenizer needs at least 320: 257 are reserved for bytes\n"
            "hint: raise data.vocab_size, or set data.tokenizer = \"bytes\"\n");
}

TEST_F(TokenizerTest, ADamagedModelIsAMessage) {
  trained();
  std::string bytes;
  std::getline(std::ifstream(path("a.model"), std::ios::binary), bytes, '\xFF');
  bytes[bytes.size() / 2] ^= 1;
  write("changed.model", bytes);
  const auto changed = load_bpe(path("changed.model"));
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(message(changed.error()),
            "DIR/changed.model: error: is damaged: its bytes do not match the hash it carries\n"
            "hint: delete it; it is made again when needed\n");
  write("text.model", "just text");
  const auto text = load_bpe(path("text.model"));
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(message(text.error()),
            "DIR/text.model: error: is damaged: it does not begin as such a file does\n"
            "hint: delete it; it is made again when needed\n");
  const auto missing = load_bpe(path("missing.model"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(message(missing.error()), "DIR/missing.model: error: cannot be read: No such file or directory\n");
}

}  // namespace
}  // namespace moescope::corpus
