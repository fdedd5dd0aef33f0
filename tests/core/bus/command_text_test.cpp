#include "core/bus/command_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "core/config/override.h"

namespace moescope::bus {
namespace {

/// What makes two commands the same for a trainer.
auto parts(const Command& c) { return std::tuple(c.kind, c.layer, c.expert, c.count, c.key, c.value, c.text); }

class Draw {
 public:
  explicit Draw(unsigned seed) : generator_(seed) {}
  std::int64_t number(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(generator_);
  }
  std::string text(std::int64_t least, bool blanks) {
    static const std::vector<std::string> kParts{"a", "Z", "7", "·",  "ü", "\"", "'",
                                                 "#", "=", "[", "\\", ".", "/",  "漢"};
    std::string text;
    const std::int64_t length = number(least, 12);
    for (std::int64_t i = 0; i < length; ++i)
      text += blanks && i > 0 && i + 1 < length && number(0, 4) == 0
                  ? " "
                  : kParts[static_cast<std::size_t>(number(0, static_cast<std::int64_t>(kParts.size()) - 1))];
    return text;
  }
  config::Value value() {
    switch (number(0, 3)) {
      case 0: return number(0, 1) == 1;
      case 1: return number(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
      case 2: return std::ldexp(static_cast<double>(number(-1'000'000, 1'000'000)), static_cast<int>(number(-60, 60)));
      default: break;
    }
    // describe() writes a text without quotes, so one that is a TOML value by itself cannot come back.
    for (;;) {
      std::string word = text(1, true);
      const auto read = config::parse_override("x=" + word);
      if (read && read->entry.value && *read->entry.value == config::Value(word)) return word;
    }
  }
  Command command() {
    Command made;
    made.kind = static_cast<CommandKind>(number(0, static_cast<std::int64_t>(CommandKind::kWatch) - 1));
    const auto layer = [&] { return number(0, 2) == 0 ? kAllLayers : static_cast<int>(number(0, 40)); };
    switch (made.kind) {
      case CommandKind::kStep: made.count = number(1, 1'000'000); break;
      case CommandKind::kSwitchStage: made.count = number(0, 5); break;
      case CommandKind::kFreezeRouter:
      case CommandKind::kUnfreezeRouter:
      case CommandKind::kPinAssignment:
      case CommandKind::kUnpinAssignment: made.layer = layer(); break;
      case CommandKind::kFreezeExpert:
      case CommandKind::kUnfreezeExpert:
        made.layer = layer();
        made.expert = static_cast<int>(number(0, 63));
        break;
      case CommandKind::kSet:
        made.key = "moe.router." + std::string(1, static_cast<char>('a' + number(0, 25)));
        made.value = value();
        break;
      case CommandKind::kProbeSentence: made.text = text(0, true); break;
      case CommandKind::kSaveWeights: made.text = text(1, true); break;
      default: break;
    }
    return made;
  }

 private:
  std::mt19937 generator_;
};

TEST(CommandText, WhatIsDescribedIsReadBack) {
  std::map<CommandKind, int> seen;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const Command command = Draw(seed).command();
    const std::string text = describe(command);
    const auto read = parse_command(text);
    ASSERT_TRUE(read) << seed << ": " << text << '\n' << format(read.error());
    EXPECT_EQ(parts(*read), parts(command)) << seed << ": " << text << " came back as " << describe(*read);
    ++seen[command.kind];
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(CommandKind::kWatch)) << "every kind but the window's own";
}

TEST(CommandText, ADotNeedNotBeTyped) {
  for (const char* text : {"freeze expert L2·E3", "  freeze  expert\tL2 E3 ", "freeze expert l2 e3"}) {
    const auto read = parse_command(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->layer, 1) << text;
    EXPECT_EQ(read->expert, 3) << text;
  }
}

std::string refusal(std::string_view text) {
  const auto read = parse_command(text);
  return read ? "" : format(read.error());
}

TEST(CommandText, AMistakeIsToldWithItsColumn) {
  const auto column = [](std::string_view text) {
    const auto read = parse_command(text);
    EXPECT_FALSE(read) << text;
    return read ? 0 : read.error().front().place.column;
  };
  EXPECT_EQ(column("freeze router 2"), 15);
  EXPECT_EQ(column("freeze expert L2·X"), 19) << "counted in bytes, as elsewhere";
  EXPECT_EQ(column("freeze every expert"), 14);
  EXPECT_EQ(column("switch to stage 0"), 17);
  EXPECT_EQ(column("set train.lr"), 13);
  EXPECT_EQ(column("step 0"), 6);
  EXPECT_EQ(column("step 99999999999999999999"), 6);
  EXPECT_EQ(column("pause now"), 7);
  EXPECT_EQ(column("freeze router L0"), 15);
  EXPECT_EQ(column("set a [1, 2]"), 7);
  EXPECT_NE(refusal("freze router L2").find("did you mean 'freeze'?"), std::string::npos) << refusal("freze router L2");
  EXPECT_NE(refusal("").find("a command is missing"), std::string::npos);
  EXPECT_NE(refusal("probe a").find("must stand in quotes"), std::string::npos);
  EXPECT_NE(refusal("save weights").find("here must stand 'to'"), std::string::npos);
}

TEST(CommandText, NoTextCrashesIt) {
  std::mt19937 generator(7);
  const std::vector<std::string> words{"freeze", "expert", "L1",    "E2", "·", "every", "router", "set",  "probe", "\"",
                                       "switch", "to",     "stage", "-1", "",  "save",  "a",      "step", "\x80"};
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto n = generator() % 6; n > 0; --n) text += words[generator() % words.size()] + (generator() % 3 ? " " : "");
    if (const auto read = parse_command(text); !read) {
      const Place& place = read.error().front().place;
      EXPECT_GE(place.column, 1) << text;
      EXPECT_LE(place.column, static_cast<int>(text.size()) + 1) << text;
    }
  }
}

}  // namespace
}  // namespace moescope::bus
