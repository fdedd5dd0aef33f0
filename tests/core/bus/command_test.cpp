#include "core/bus/command.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "core/bus/channels.h"

namespace moescope::bus {
namespace {

Command on(CommandKind kind, int layer = kAllLayers, int expert = -1) {
  Command command;
  command.kind = kind;
  command.layer = layer;
  command.expert = expert;
  return command;
}

TEST(Command, IsDescribedAsAPersonWouldSayIt) {
  EXPECT_EQ(describe(on(CommandKind::kPause)), "pause");
  EXPECT_EQ(describe(on(CommandKind::kFreezeRouter, 1)), "freeze router L2");
  EXPECT_EQ(describe(on(CommandKind::kUnfreezeRouter)), "unfreeze every router");
  EXPECT_EQ(describe(on(CommandKind::kFreezeExpert, 0, 3)), "freeze expert L1·E3");
  EXPECT_EQ(describe(on(CommandKind::kUnfreezeExpert, kAllLayers, 3)), "unfreeze expert E3 of every layer");
  EXPECT_EQ(describe(on(CommandKind::kPinAssignment)), "pin every assignment");
  EXPECT_EQ(describe(on(CommandKind::kUnpinAssignment, 2)), "unpin assignment L3");

  Command command = on(CommandKind::kStep);
  EXPECT_EQ(describe(command), "step");
  command.count = 10;
  EXPECT_EQ(describe(command), "step 10");
  command.kind = CommandKind::kSwitchStage;
  command.count = 1;
  EXPECT_EQ(describe(command), "switch to stage 2");
  command.kind = CommandKind::kSet;
  command.key = "train.lr";
  command.value = 0.002;
  EXPECT_EQ(describe(command), "set train.lr 0.002");
  command.value = std::string("word");
  EXPECT_EQ(describe(command), "set train.lr word");
  command.kind = CommandKind::kProbeSentence;
  command.text = "a\nb";
  EXPECT_EQ(describe(command), "probe \"a\\x0Ab\"");
  command.kind = CommandKind::kSaveWeights;
  command.text = "w.safetensors";
  EXPECT_EQ(describe(command), "save weights to w.safetensors");
}

TEST(Command, EveryKindHasAnIdOfItsOwn) {
  std::set<std::string> names;
  int kinds = 0;
  for (int kind = 0; kind <= static_cast<int>(CommandKind::kWatch); ++kind, ++kinds) {
    names.insert(kind_name(static_cast<CommandKind>(kind)));
    EXPECT_NE(describe(on(static_cast<CommandKind>(kind))), "unknown command");
  }
  EXPECT_EQ(static_cast<int>(names.size()), kinds);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(kind_name(CommandKind::kFreezeRouter), "freeze_router");
}

TEST(RunState, EveryStateHasAName) {
  std::set<std::string> names;
  for (int state = 0; state <= static_cast<int>(RunState::kFinished); ++state)
    names.insert(state_name(static_cast<RunState>(state)));
  EXPECT_EQ(names, (std::set<std::string>{"idle", "running", "paused", "stopping", "failed", "finished"}));
}

TEST(StatusBoard, IsReadWholeWhileItChanges) {
  StatusBoard board;
  std::jthread writer([&] {
    for (int step = 1; step <= 5000; ++step)
      board.update([&](RunStatus& status) {
        status.step = step;
        status.activity = std::to_string(step);
      });
  });
  for (;;) {
    const RunStatus status = board.read();
    ASSERT_EQ(status.activity, status.step == 0 ? "" : std::to_string(status.step));
    ASSERT_EQ(status.heartbeat, static_cast<std::uint64_t>(status.step));
    if (status.step == 5000) break;
  }
}

TEST(Channels, RefuseCommandsWhenFull) {
  Channels channels;
  int accepted = 0;
  while (channels.commands.try_push(Command{})) ++accepted;
  EXPECT_EQ(accepted, 64);
}

}  // namespace
}  // namespace moescope::bus
