// The journal: commands with their answers, taking back, and what a command did to the loss.
#include "app/workbench/undo.h"
#include "tests/app/workbench/fake_trainer.h"

namespace moescope::app {
namespace {

using bus::CommandKind;

TEST_F(WithFakeTrainer, ACommandIsPendingUntilItsAnswer) {
  start_running();
  const auto seq = bench_.post(set("train.lr", 0.002));
  ASSERT_EQ(bench_.journal().size(), 1U);
  EXPECT_TRUE(bench_.journal()[0].pending);
  EXPECT_EQ(bench_.journal()[0].what, "set train.lr 0.002");
  EXPECT_EQ(bench_.journal()[0].who, "you");
  trainer().answer(true, 40, "lr 0.004 → 0.002", 0.004);
  EXPECT_TRUE(bench_.pump());
  const JournalEntry& entry = bench_.journal()[0];
  EXPECT_FALSE(entry.pending);
  EXPECT_FALSE(entry.refused);
  EXPECT_EQ(entry.step, 40);
  EXPECT_EQ(entry.effect, "lr 0.004 → 0.002");
  EXPECT_EQ(entry.seq, *seq);
}

TEST_F(WithFakeTrainer, ARefusalSaysWhyAndChangesNothing) {
  start_running();
  bench_.post(set("moe.router.top_k", std::int64_t{99}));
  trainer().answer(false, 3, "'top_k' is 99, allowed is 1 to 8");
  bench_.pump();
  EXPECT_TRUE(bench_.journal()[0].refused);
  EXPECT_EQ(bench_.journal()[0].effect, "'top_k' is 99, allowed is 1 to 8");
  EXPECT_FALSE(bench_.can_undo());
  EXPECT_EQ(bench_.live_values().at("moe.router.top_k"), config::Value(std::int64_t{2}));
}

TEST_F(WithFakeTrainer, LiveValuesFollowConfirmedChangesOnly) {
  start_running();
  EXPECT_EQ(bench_.live_values().at("train.lr"), config::Value(4e-3));
  EXPECT_EQ(bench_.live_values().at("moe.router.balance_coefficient"), config::Value(0.01));
  bench_.post(set("moe.router.balance_coefficient", std::int64_t{1}));
  bench_.pump();
  EXPECT_EQ(bench_.live_values().at("moe.router.balance_coefficient"), config::Value(0.01));
  trainer().answer(true, 3, "", 0.01);
  bench_.pump();
  EXPECT_EQ(bench_.live_values().at("moe.router.balance_coefficient"), config::Value(1.0)) << "still a number";
}

TEST_F(WithFakeTrainer, WatchingIsNoJournalEntry) {
  start_running();
  EXPECT_TRUE(bench_.post(command(CommandKind::kWatch)));
  EXPECT_TRUE(bench_.journal().empty());
  trainer().answer(true, 1, "");
  bench_.pump();
  EXPECT_TRUE(bench_.journal().empty());
}

TEST_F(WithFakeTrainer, UndoTakesBackTheNewestFirst) {
  start_running();
  bench_.post(set("train.lr", 0.002));
  trainer().answer(true, 1, "", 0.004);
  bus::Command freeze = command(CommandKind::kFreezeRouter);
  freeze.layer = 1;
  bench_.post(freeze);
  trainer().answer(true, 2, "");
  bench_.post(command(CommandKind::kPause));
  trainer().answer(true, 2, "none");
  bench_.pump();
  ASSERT_TRUE(bench_.can_undo());

  ASSERT_TRUE(bench_.undo());
  EXPECT_EQ(bench_.journal().back().what, "undo: unfreeze router L2");
  const bus::Command thaw = trainer().answer(true, 3, "");
  EXPECT_EQ(thaw.kind, CommandKind::kUnfreezeRouter);
  EXPECT_EQ(thaw.layer, 1);
  bench_.pump();

  ASSERT_TRUE(bench_.undo()) << "an undo is not itself taken back";
  const bus::Command old_lr = trainer().answer(true, 4, "", 0.002);
  EXPECT_EQ(old_lr.key, "train.lr");
  EXPECT_EQ(old_lr.value, config::Value(0.004));
  bench_.pump();
  EXPECT_EQ(bench_.live_values().at("train.lr"), config::Value(0.004));
  EXPECT_FALSE(bench_.can_undo());
  EXPECT_FALSE(bench_.undo());
}

TEST_F(WithFakeTrainer, UndoOfAStageSwitchGoesBackToTheStageBefore) {
  start_running();
  trainer().frame(5, 1, 1);
  bench_.pump();
  bus::Command go = command(CommandKind::kSwitchStage);
  go.count = 2;
  bench_.post(go);
  trainer().answer(true, 6, "");
  bench_.pump();
  ASSERT_TRUE(bench_.undo());
  EXPECT_EQ(trainer().answer(true, 7, "").count, 1);
}

TEST_F(WithFakeTrainer, AnUndoThatFindsTheQueueFullCanBeTriedAgain) {
  start_running();
  bench_.post(set("train.lr", 0.002));
  trainer().answer(true, 1, "", 0.004);
  bench_.pump();
  while (bench_.post(command(CommandKind::kPause))) {
  }
  EXPECT_FALSE(bench_.undo());
  EXPECT_TRUE(bench_.can_undo());
  trainer().channels->commands.drain();
  EXPECT_TRUE(bench_.undo());
}

TEST_F(WithFakeTrainer, NothingIsLeftToUndoWhenTheRunHasEnded) {
  start_running();
  bench_.post(set("train.lr", 0.002));
  trainer().answer(true, 1, "", 0.004);
  bench_.pump();
  EXPECT_TRUE(bench_.can_undo());
  trainer().end(bus::RunState::kFinished);
  bench_.pump();
  EXPECT_FALSE(bench_.can_undo());
}

TEST_F(WithFakeTrainer, WhatHappenedByItselfIsInTheJournalOnce) {
  start_running();
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  frame->step = 400;
  frame->events = {{telemetry::Event::Kind::kStageSwitch, 400, "switched to stage 2", "schedule"},
                   {telemetry::Event::Kind::kCommand, 400, "lr 0.004→0.002", "you"}};
  trainer().channels->frames.push_drop_oldest(std::move(frame));
  bench_.pump();
  ASSERT_EQ(bench_.journal().size(), 1U);
  EXPECT_EQ(bench_.journal()[0].what, "switched to stage 2");
  EXPECT_EQ(bench_.journal()[0].who, "schedule");
  EXPECT_EQ(bench_.journal()[0].step, 400);
}

TEST_F(WithFakeTrainer, TheNewestSentenceIsKept) {
  start_running();
  bus::Reply reply;
  reply.done = true;
  reply.sentence = bus::SentenceResult{"hello", 1, {}, " world"};
  trainer().channels->replies.push_drop_oldest(reply);
  bench_.pump();
  ASSERT_NE(bench_.sentence(), nullptr);
  EXPECT_EQ(bench_.sentence()->continuation, " world");
}

TEST_F(WithFakeTrainer, TheEffectOnTheLossIsAddedFiftyStepsLater) {
  start_running();
  for (int step = 1; step <= 20; ++step) trainer().frame(step, 2.0);
  bench_.post(set("train.lr", 0.002));
  trainer().answer(true, 20, "lr 0.004 → 0.002", 0.004);
  bench_.pump();
  for (int step = 21; step <= 69; ++step) trainer().frame(step, 1.0);
  bench_.pump();
  EXPECT_EQ(bench_.journal()[0].effect, "lr 0.004 → 0.002");
  trainer().frame(70, 1.0);
  EXPECT_TRUE(bench_.pump());
  EXPECT_EQ(bench_.journal()[0].effect, "lr 0.004 → 0.002; Δ task −1.44 bits after 50 steps");
  bench_.pump();
  EXPECT_EQ(bench_.journal()[0].effect, "lr 0.004 → 0.002; Δ task −1.44 bits after 50 steps");
}

TEST(Undo, OnlyOfWhatWasDoneAndHasAnOpposite) {
  const auto opposite_of = [](CommandKind kind) {
    bus::Reply reply;
    reply.done = true;
    reply.command.kind = kind;
    const auto undo = undo_of(reply, 0);
    return undo ? std::optional(undo->kind) : std::nullopt;
  };
  EXPECT_EQ(opposite_of(CommandKind::kFreezeExpert), CommandKind::kUnfreezeExpert);
  EXPECT_EQ(opposite_of(CommandKind::kUnfreezeExpert), CommandKind::kFreezeExpert);
  EXPECT_EQ(opposite_of(CommandKind::kUnfreezeRouter), CommandKind::kFreezeRouter);
  EXPECT_EQ(opposite_of(CommandKind::kPinAssignment), CommandKind::kUnpinAssignment);
  EXPECT_EQ(opposite_of(CommandKind::kUnpinAssignment), CommandKind::kPinAssignment);
  for (const CommandKind kind : {CommandKind::kPause, CommandKind::kResume, CommandKind::kStep, CommandKind::kStop,
                                 CommandKind::kProbeSentence, CommandKind::kSaveWeights, CommandKind::kSet})
    EXPECT_EQ(opposite_of(kind), std::nullopt) << bus::kind_name(kind);
  bus::Reply refused;
  refused.command.kind = CommandKind::kFreezeRouter;
  EXPECT_EQ(undo_of(refused, 0), std::nullopt);
}

}  // namespace
}  // namespace moescope::app
