#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

using testing::HasSubstr;

class Corpora : public Program {};

TEST_F(Corpora, AreListed) {
  const Outcome outcome = run({"corpora"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("manuals "));
  EXPECT_THAT(outcome.out, HasSubstr("synthetic "));
}

TEST_F(Corpora, OneCanBePrepared) {
  const Outcome outcome = run({"corpora", "prepare", "synthetic", "--tokenizer", "bytes"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("synthetic: "));
  EXPECT_THAT(outcome.out, HasSubstr(" training tokens"));
}

TEST_F(Corpora, AFolderOfOnesOwnCanBePrepared) {
  for (const char* domain : {"cats", "dogs"})
    for (int page = 0; page < 40; ++page) {
      std::string text;
      for (int line = 0; line < 30; ++line)
        text += std::string(domain) + " page " + std::to_string(page) + " line " + std::to_string(line) +
                " says something\n";
      write("texts/" + std::string(domain) + "/" + std::to_string(page) + ".txt", text);
    }
  const Outcome outcome = run({"corpora", "prepare", "./texts", "--tokenizer", "bytes"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST_F(Corpora, WhatIsNotThereIsAMessage) {
  Outcome outcome = run({"corpora", "prepare", "manual"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "error: there is no corpus, file or folder 'manual'\nhint: did you mean 'manuals'?\n");
  outcome = run({"corpora", "prepare", "synthetic", "--tokenizer", "byte", "--vocab-size", "x"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err,
            "error: 'tokenizer' is \"byte\", allowed is bpe or bytes\n"
            "error: 'vocab_size' is \"x\", but must be a whole number\n");
}

TEST_F(Corpora, AnEmptyFileCannotBeHad) {
  write("empty.txt", "");
  const Outcome outcome = run({"corpora", "prepare", "./empty.txt"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("empty.txt"));
}

}  // namespace
}  // namespace moescope::cli
