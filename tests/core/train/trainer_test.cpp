#include "core/train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;

class EveryMethodLearns : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMethodLearns, TheTinyChain) {
  // Next tokens for all, so that losses compare; whoever looks ahead has an easy time.
  Harness run(test::tiny_config(GetParam(), {"train.steps=150", "model.objective=causal_lm"}), /*watched=*/false);
  run.steps(150);
  const double first = run.loss(0), last = run.loss(149);
  // The chain's own entropy is about 1.6 nats of ln 48 = 3.9.
  EXPECT_GT(first, 3.6);
  EXPECT_LT(last, first - 1.2);
}

INSTANTIATE_TEST_SUITE_P(Trainer, EveryMethodLearns, ::testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

TEST(Sentence, IsTheSameForTheSameSeqAndChangesNothing) {
  Harness one(test::tiny_config("switch")), two(test::tiny_config("switch"));
  const auto before = one.checksum();
  const auto first = one.send(test::with_text(CommandKind::kProbeSentence, "abcabc"));
  const auto second = two.send(test::with_text(CommandKind::kProbeSentence, "abcabc"));
  ASSERT_TRUE(first.sentence && second.sentence);
  EXPECT_EQ(first.sentence->continuation, second.sentence->continuation);
  EXPECT_EQ(first.text, "routed 6 tokens");
  EXPECT_EQ(one.checksum(), before);
}

TEST(Sentence, RefusalsAndLongTexts) {
  Harness run(test::tiny_config("switch"));
  EXPECT_EQ(run.send(test::with_text(CommandKind::kProbeSentence, "")).text, "the sentence is empty");
  EXPECT_EQ(run.send(test::with_text(CommandKind::kProbeSentence, "\xff\xfe")).text, "the sentence is not UTF-8 text");
  const auto reply = run.send(test::with_text(CommandKind::kProbeSentence, std::string(100, 'x')));
  ASSERT_TRUE(reply.sentence);
  EXPECT_EQ(reply.sentence->tokens.size(), 16U) << "the end that fits the context";
}

TEST(Commands, AreMarkedOnTheTimeAxisByWhoGaveThem) {
  Harness run(test::tiny_config("switch"));
  run.steps(2);
  bus::Command freeze = test::on_layer(CommandKind::kFreezeRouter, 0);
  freeze.who = "script";
  run.send(freeze);
  run.send(test::command(CommandKind::kPause));
  run.steps(1);
  const auto& events = run.frames.back()->events;
  ASSERT_EQ(events.size(), 1U) << "pausing has no effect to mark";
  EXPECT_EQ(events[0].text, "router of L1 frozen");
  EXPECT_EQ(events[0].who, "script");
  EXPECT_EQ(events[0].step, 2);
}

}  // namespace
}  // namespace moescope
