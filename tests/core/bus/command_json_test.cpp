#include "core/bus/command_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace moescope::bus {
namespace {

Command of_kind(CommandKind kind) {
  Command command;
  command.seq = 7;
  command.kind = kind;
  command.layer = 1;
  command.expert = 3;
  command.count = 5;
  command.key = "train.lr";
  command.value = 0.002;
  command.text = "a \"b\" ü\n";
  command.wants = {true, 1ULL << 63U};
  return command;
}

std::string problem_of(std::string_view text) {
  const auto command = command_from_json(text);
  return command ? "none" : command.error().front().message;
}

TEST(CommandJson, HasOnlyThePartsOfItsKindInAFixedOrder) {
  EXPECT_EQ(to_json(of_kind(CommandKind::kPause)), R"({"kind":"pause","seq":7,"who":"you"})");
  EXPECT_EQ(to_json(of_kind(CommandKind::kFreezeExpert)),
            R"({"kind":"freeze_expert","seq":7,"who":"you","expert":3,"layer":2})");
  EXPECT_EQ(to_json(of_kind(CommandKind::kSwitchStage)), R"({"kind":"switch_stage","seq":7,"who":"you","stage":6})");
  EXPECT_EQ(to_json(of_kind(CommandKind::kSet)),
            R"({"kind":"set","seq":7,"who":"you","key":"train.lr","value":0.002})");
  EXPECT_EQ(to_json(of_kind(CommandKind::kWatch)),
            R"({"kind":"watch","seq":7,"who":"you","expert_tokens":true,"space_layers":9223372036854775808})");
  Command every = of_kind(CommandKind::kFreezeRouter);
  every.layer = kAllLayers;
  EXPECT_EQ(to_json(every), R"({"kind":"freeze_router","seq":7,"who":"you","layer":"all"})");
}

TEST(CommandJson, EveryKindReadsBackToTheSameBytes) {
  for (int kind = 0; kind <= static_cast<int>(CommandKind::kWatch); ++kind) {
    const std::string text = to_json(of_kind(static_cast<CommandKind>(kind)));
    const auto command = command_from_json(text);
    ASSERT_TRUE(command) << text << format(command.error());
    EXPECT_EQ(to_json(*command), text);
    EXPECT_EQ(describe(*command), describe(of_kind(static_cast<CommandKind>(kind))));
  }
}

TEST(CommandJson, ValuesKeepTheirTypeAndTheirBits) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const config::Value& value : std::initializer_list<config::Value>{
           true, std::int64_t{2}, std::numeric_limits<std::int64_t>::min(), 2.0, -0.0, 0.1, 5e-324,
           std::numeric_limits<double>::max(), infinity, -infinity, std::string("inf"), std::string()}) {
    Command command = of_kind(CommandKind::kSet);
    command.value = value;
    const auto back = command_from_json(to_json(command));
    ASSERT_TRUE(back) << to_json(command);
    EXPECT_EQ(back->value, value) << to_json(command);
    if (const auto* number = std::get_if<double>(&value)) {
      EXPECT_EQ(std::signbit(std::get<double>(back->value)), std::signbit(*number));
    }
  }
  Command command = of_kind(CommandKind::kSet);
  command.value = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(to_json(command), R"({"kind":"set","seq":7,"who":"you","key":"train.lr","value":{"double":null}})");
  const auto back = command_from_json(to_json(command));
  ASSERT_TRUE(back);
  EXPECT_TRUE(std::isnan(std::get<double>(back->value)));
}

TEST(CommandJson, TextThatIsNotUtf8IsReplacedOnce) {
  Command command = of_kind(CommandKind::kProbeSentence);
  command.text = "\xFF!";
  const auto back = command_from_json(to_json(command));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->text, "\xEF\xBF\xBD!");
  EXPECT_EQ(to_json(*back), to_json(command));
}

TEST(CommandJson, WhatIsWrongIsNamed) {
  EXPECT_EQ(problem_of("{"), "this command is no valid JSON");
  EXPECT_EQ(problem_of("[]"), "this command is no JSON object");
  EXPECT_EQ(problem_of("{}"), "this command has no \"kind\"");
  EXPECT_EQ(problem_of(R"({"kind":"fly","seq":1,"who":"you"})"), "this command has a kind that is not known here: fly");
  EXPECT_EQ(problem_of(R"({"kind":"pause","seq":-1,"who":"you"})"),
            "this command has a \"seq\" that is no whole number from 0 up");
  EXPECT_EQ(problem_of(R"({"kind":"pause","seq":1,"who":3})"), "this command has a \"who\" that is no text");
  EXPECT_EQ(problem_of(R"({"kind":"freeze_router","seq":1,"who":"you","layer":0})"),
            "this command has a \"layer\" that is no whole number in its range");
  EXPECT_EQ(problem_of(R"({"kind":"pin_assignment","seq":1,"who":"you"})"), "this command has no \"layer\"");
  EXPECT_EQ(problem_of(R"({"kind":"set","seq":1,"who":"you","key":"k","value":[1]})"),
            "this command has a \"value\" that is neither true, false, a number nor a text");
  EXPECT_EQ(problem_of(R"({"kind":"pause","seq":1,"who":"you","why":""})"),
            "this command has a part \"why\" that is not known here");
}

TEST(CommandJson, DepthAndSizeAreLimited) {
  EXPECT_EQ(problem_of(std::string(100'000, '[')), "this command is nested too deeply");
  EXPECT_EQ(problem_of(std::string((16 << 20) + 1, ' ')), "this command is larger than 16,777,216 bytes");
  EXPECT_EQ(problem_of(R"({"kind":"save_weights","seq":1,"who":"you","text":"[[[[[[[[[[\"[["})"), "none");
}

TEST(ReplyJson, ReadsBackWithItsSentence) {
  Reply reply;
  reply.number = 12;
  reply.command = of_kind(CommandKind::kProbeSentence);
  reply.done = true;
  reply.step = 12;
  reply.text = "routed";
  reply.old_value = std::int64_t{3};
  SentenceResult sentence;
  sentence.sentence = "hello";
  sentence.top_k = 2;
  sentence.continuation = " world";
  sentence.tokens = {{"he", {1, -1}, {0.25F, 0.1F}, {std::numeric_limits<float>::quiet_NaN()}}};
  reply.sentence = sentence;
  const std::string text = to_json(reply);
  const auto back = reply_from_json(text);
  ASSERT_TRUE(back) << text << format(back.error());
  EXPECT_EQ(to_json(*back), text);
  EXPECT_EQ(back->sentence->tokens[0].gate_LK, sentence.tokens[0].gate_LK);
  EXPECT_TRUE(std::isnan(back->sentence->tokens[0].margin_L[0]));
  EXPECT_FALSE(reply_from_json(R"({"done":true})"));
}

TEST(ReplyJson, RefusesASentenceWhoseListsDoNotFit) {
  Reply reply;
  reply.sentence = SentenceResult{"a", 2, {{"a", {1}, {1.0F}, {0.5F}}}, ""};
  const auto back = reply_from_json(to_json(reply));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().front().message, "a token of this probed sentence has not the same layers in all its lists");
}

TEST(StatusJson, ACheckpointIsNews) {
  RunStatus before, after;
  after.heartbeat = 9;
  EXPECT_TRUE(same_but_heartbeat(before, after));
  after.checkpoints = {20};
  EXPECT_FALSE(same_but_heartbeat(before, after));
}

TEST(StatusJson, ReadsBackWithItsFailure) {
  RunStatus status;
  status.state = RunState::kFailed;
  status.step = 9;
  status.activity = "x";
  status.failure = {9, "forward", "out of memory"};
  status.inexact = "another CPU";
  status.checkpoints = {0, 5};
  status.heartbeat = 4;
  const auto back = status_from_json(to_json(status));
  ASSERT_TRUE(back) << to_json(status);
  EXPECT_EQ(to_json(*back), to_json(status));
  EXPECT_EQ(back->failure.phase, "forward");
  EXPECT_TRUE(same_but_heartbeat(*back, status));
  EXPECT_EQ(back->checkpoints, status.checkpoints);
  EXPECT_FALSE(status_from_json(R"({"state":"dreaming"})"));
}

}  // namespace
}  // namespace moescope::bus
