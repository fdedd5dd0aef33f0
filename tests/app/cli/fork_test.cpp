// A new run from a step of another: the same training until something is changed; the other is only read.
#include "tests/app/cli/recorded.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Fork : public Recorded {
 protected:
  Outcome fork(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"fork", path("parent"), "--out", path(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
};

TEST_F(Fork, WithoutAChangeItIsItsParentAndTheParentKeepsEveryByte) {
  const std::string file = config("stablemoe", 190);
  ASSERT_EQ(train(file, "parent", {"--commands", write("script", "30 set train.lr 0.003\n45 freeze router L2\n")}).code,
            0);
  const auto before = bytes_of("parent");
  const Outcome outcome = fork("child", {"--step", "87"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("Leaves " + path("parent") + " at step 87\n"));
  const auto lines = json_lines(outcome.out);
  EXPECT_EQ(lines.front()["from"], path("parent"));
  EXPECT_EQ(lines.front()["from_step"], 87);
  EXPECT_EQ(lines[1]["step"], 88);
  expect_same_training("parent", "child", 88, 190);
  EXPECT_EQ(weights("parent"), weights("child"));
  EXPECT_EQ(bytes_of("parent"), before);

  const auto parent = open("parent"), child = open("child");
  EXPECT_EQ(child->facts().parent_id, parent->facts().id);
  EXPECT_NE(child->facts().id, parent->facts().id);
  EXPECT_EQ(child->facts().parent_step, 87);
  EXPECT_EQ(child->facts().parent_commands, 2);
  const auto told = verdict("child");
  EXPECT_EQ(told["code"], 0) << told;
}

TEST_F(Fork, AChangeActsAtTheForkAndIsInItsJournal) {
  const std::string file = config("loss_free", 80);
  ASSERT_EQ(train(file, "parent").code, 0);
  const Outcome outcome = fork(
      "child", {"--step", "40", "--set", "train.lr=0.0005", "--commands", write("more", "50 freeze every router\n")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(weights("parent"), weights("child"));
  const auto journal = open("child")->commands();
  ASSERT_EQ(journal.size(), 2U);
  EXPECT_EQ(bus::describe(journal[0].command), "set train.lr 0.0005");
  EXPECT_EQ(journal[0].apply_step, 40);
  EXPECT_EQ(bus::describe(journal[1].command), "freeze every router");
  EXPECT_EQ(journal[1].apply_step, 50);
  // The same steering from the beginning comes to the same weights.
  ASSERT_EQ(
      train(file, "straight", {"--commands", write("all", "40 set train.lr 0.0005\n50 freeze every router\n")}).code,
      0);
  EXPECT_EQ(weights("straight"), weights("child"));
  expect_same_training("straight", "child", 41, 80);
  const auto told = verdict("child");
  EXPECT_EQ(told["code"], 0) << told;
}

TEST_F(Fork, FewerCommandsOfTheJournalCanBeTakenOver) {
  const std::string file = config("stablemoe", 60);
  ASSERT_EQ(train(file, "parent", {"--commands", write("script", "10 set train.lr 0.003\n25 freeze router L1\n")}).code,
            0);
  ASSERT_EQ(train(file, "first", {"--commands", write("script", "10 set train.lr 0.003\n")}).code, 0);
  ASSERT_EQ(fork("child", {"--step", "35", "--journal", "1"}).code, 0);
  EXPECT_EQ(weights("child"), weights("first")) << "as if the second command had never been given";
  EXPECT_EQ(open("child")->facts().parent_commands, 1);
}

TEST_F(Fork, OfAForkIsPossible) {
  const std::string file = config("remoe", 60);
  ASSERT_EQ(train(file, "parent").code, 0);
  ASSERT_EQ(fork("child", {"--step", "20"}).code, 0);
  const Outcome outcome = run({"fork", path("child"), "--step", "41", "--out", path("grandchild")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(weights("parent"), weights("grandchild"));
  const Outcome early = run({"fork", path("child"), "--step", "10", "--out", path("early")});
  EXPECT_EQ(early.code, 2);
  EXPECT_THAT(early.err, HasSubstr("this run begins at step 20")) << early.err;
}

TEST_F(Fork, WhatCannotBeIsToldBeforeAnythingIsMade) {
  ASSERT_EQ(train(config("stablemoe", 20), "parent", {"--commands", write("script", "10 set train.lr 0.003\n")}).code,
            0);
  const auto told = [&](const std::vector<std::string>& more) {
    const Outcome outcome = fork("child", more);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_FALSE(fs::exists(path("child")));
    return outcome.err;
  };
  EXPECT_EQ(told({"--step", "21"}),
            path("parent") + ": error: step 21 is not recorded\nhint: the last recorded step is 20\n");
  EXPECT_THAT(told({}), HasSubstr("at step 20 the run is over"));
  EXPECT_THAT(told({"--step", "5", "--journal", "1"}), HasSubstr("command 1 acts at step 10, behind the fork"));
  EXPECT_THAT(told({"--step", "15", "--journal", "2"}), HasSubstr("the journal has 1 commands, not 2"));
  EXPECT_THAT(told({"--step", "5", "--set", "model.d_model=64"}),
              HasSubstr("error: 'model.d_model' cannot change while a run goes on\nhint: those that can are "));
  EXPECT_THAT(told({"--step", "5", "--set", "train.lr=7"}), HasSubstr("'train.lr' is 7, allowed is 0 to 1"));
  EXPECT_THAT(told({"--step", "5", "--set", "train.lrr=1"}), HasSubstr("did you mean 'train.lr'?"));
  EXPECT_THAT(told({"--step", "5", "--commands", write("early", "4 pause\n")}), HasSubstr("step 4 is not in this run"));
  EXPECT_THAT(told({"--step", "x"}), HasSubstr("--step"));
}

}  // namespace
}  // namespace moescope::cli
