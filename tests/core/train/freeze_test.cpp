// What is frozen stays bit-identical for 50 steps with weight decay and momentum on.
#include <gtest/gtest.h>

#include "tests/core/train/trainer_harness.h"

namespace moescope {
namespace {

using bus::CommandKind;
using test::Harness;

const std::vector<std::string> kDecay = {"train.weight_decay=0.1"};

TEST(Freeze, ARouterStopsAndTheOthersLearnOn) {
  Harness run(test::tiny_config("switch", kDecay));
  run.steps(10);
  ASSERT_TRUE(run.send(test::on_layer(CommandKind::kFreezeRouter, 1)).done);
  const auto frozen = run.checksum("moe.2.router"), other = run.checksum("moe.1.router");
  run.steps(50);
  EXPECT_EQ(run.checksum("moe.2.router"), frozen);
  EXPECT_NE(run.checksum("moe.1.router"), other);
  EXPECT_TRUE(run.frames.back()->controls[1].router_frozen);
  EXPECT_FALSE(run.frames.back()->controls[0].router_frozen);
  ASSERT_TRUE(run.send(test::on_layer(CommandKind::kUnfreezeRouter, 1)).done);
  run.steps(3);
  EXPECT_NE(run.checksum("moe.2.router"), frozen);
}

TEST(Freeze, EveryRouterAtOnceStudentIncluded) {
  Harness run(test::tiny_stablemoe(1000, kDecay));
  run.steps(5);
  ASSERT_TRUE(run.send(test::command(CommandKind::kFreezeRouter)).done);
  const auto one = run.checksum("moe.1.router"), two = run.checksum("moe.2.router");
  run.steps(50);
  EXPECT_EQ(run.checksum("moe.1.router"), one);
  EXPECT_EQ(run.checksum("moe.2.router"), two);
}

TEST(Freeze, AnExpertStopsWhileRoutingGoesOn) {
  Harness run(test::tiny_config("smoe", {"train.weight_decay=0.1", "moe.router.top_k=2"}));
  run.steps(10);
  ASSERT_TRUE(run.send(test::on_layer(CommandKind::kFreezeExpert, 0, 2)).done);
  const auto frozen = run.checksum("moe.1.expert.2."), neighbour = run.checksum("moe.1.expert.1.");
  const auto twin = run.checksum("moe.2.expert.2."), router = run.checksum("moe.1.router");
  run.steps(50);
  EXPECT_EQ(run.checksum("moe.1.expert.2."), frozen);
  EXPECT_NE(run.checksum("moe.1.expert.1."), neighbour);
  EXPECT_NE(run.checksum("moe.2.expert.2."), twin);
  EXPECT_NE(run.checksum("moe.1.router"), router);
  EXPECT_EQ(run.frames.back()->controls[0].frozen_experts, 0b100U);
}

TEST(Freeze, AnAssignmentOfAMethodWithoutAStudentIsDistilledAndPinned) {
  Harness run(test::tiny_config("smoe", kDecay));
  run.steps(10);
  const bus::Reply reply = run.send(test::on_layer(CommandKind::kPinAssignment, 0));
  ASSERT_TRUE(reply.done) << reply.text;
  EXPECT_EQ(
      reply.text.rfind("assignment of L1 pinned to a table by token, distilled from 1,024 tokens; it repeats ", 0), 0U)
      << reply.text;
  run.steps(1);
  const auto choices = [&] {
    while (!run.frames.back()->probe) run.steps(1);
    return run.frames.back()->probe;
  };
  const auto before = choices();
  const auto gates = run.checksum("moe.1.router");
  run.steps(30);
  const auto after = choices();
  EXPECT_EQ(before->layers[0].expert_TK, after->layers[0].expert_TK) << "pinned";
  EXPECT_NE(before->layers[1].expert_TK, after->layers[1].expert_TK) << "not pinned";
  EXPECT_NE(run.checksum("moe.1.router"), gates) << "the gates go on learning";
  ASSERT_TRUE(run.send(test::on_layer(CommandKind::kUnpinAssignment, 0)).done);
}

TEST(Freeze, AMethodWithoutChoicesPerTokenRefusesToPin) {
  Harness run(test::tiny_config("random"));
  run.steps(2);
  const bus::Reply reply = run.send(test::on_layer(CommandKind::kPinAssignment, 0));
  EXPECT_FALSE(reply.done);
  EXPECT_EQ(reply.text, "Random does not choose experts token by token: there is no assignment to pin");
}

TEST(Freeze, RefusalsSayWhyAndChangeNothing) {
  Harness run(test::tiny_config("switch"));
  const auto refusal = [&](const bus::Command& command) {
    const bus::Reply reply = run.send(command);
    EXPECT_FALSE(reply.done);
    return reply.text;
  };
  EXPECT_EQ(refusal(test::on_layer(CommandKind::kUnfreezeRouter, 0)), "the router of L1 is not frozen");
  EXPECT_EQ(refusal(test::on_layer(CommandKind::kFreezeRouter, 7)), "there is no layer L8: the model has 2 MoE layers");
  EXPECT_EQ(refusal(test::on_layer(CommandKind::kFreezeExpert, 0, 4)),
            "there is no expert 4: each layer has 4 experts, counted from 0");
  EXPECT_EQ(refusal(test::on_layer(CommandKind::kFreezeExpert, bus::kAllLayers, 1)),
            "an expert is named by its layer and its number, as L2·E5");
  EXPECT_EQ(refusal(test::on_layer(CommandKind::kUnfreezeExpert, 0, 1)), "L1·E1 is not frozen");
  EXPECT_EQ(refusal(test::on_layer(CommandKind::kUnpinAssignment, 0)), "the assignment of L1 is not pinned");
  EXPECT_EQ(refusal(test::counted(CommandKind::kSwitchStage, 1)), "Switch has one stage only");
  run.send(test::command(CommandKind::kFreezeRouter));
  EXPECT_EQ(refusal(test::command(CommandKind::kFreezeRouter)), "the router of every layer is frozen already");
  Harness random(test::tiny_config("random"));
  EXPECT_EQ(random.send(test::command(CommandKind::kFreezeRouter)).text,
            "Random trains no router: there is nothing to freeze");
}

}  // namespace
}  // namespace moescope
