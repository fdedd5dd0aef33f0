// Steering given beforehand: what a script may say, and where its mistakes are shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli/command_script.h"
#include "app/cli/registered.h"

namespace moescope::cli {
namespace {

using testing::HasSubstr;

config::RunConfig config() {
  auto read = config::read_run_config(
      "[data]\ncorpus = \"synthetic\"\n[model]\nnum_layers = 2\n[moe]\nmethod = \"stablemoe\"\nnum_experts = 4\n"
      "layers = \"1,2\"\n[train]\nsteps = 100\n",
      "test.toml", registered_methods());
  return read ? *read : config::RunConfig{};
}

std::string problem(const std::string& text, std::int64_t first_step = 0) {
  const auto script = parse_script(text, "script", config(), first_step);
  return script ? "" : format(script.error());
}

TEST(Script, ComesBackInTheOrderItActs) {
  const auto script = parse_script(
      "# a comment\n\n 30 freeze router L2\r\n10\tset train.lr 0.002\n30 set train.lr 0.001\n", "script", config(), 0);
  ASSERT_TRUE(script) << format(script.error());
  ASSERT_EQ(script->size(), 3U);
  EXPECT_EQ((*script)[0].step, 10);
  EXPECT_EQ(bus::describe((*script)[0].command), "set train.lr 0.002");
  EXPECT_EQ(bus::describe((*script)[1].command), "freeze router L2");
  EXPECT_EQ(bus::describe((*script)[2].command), "set train.lr 0.001");
  EXPECT_EQ((*script)[0].command.who, "script");
}

TEST(Script, AMistakeIsShownInItsLine) {
  EXPECT_EQ(problem("10 pause\n10 resume\n20 freze router L2\n"),
            "script:3:4: error: there is no command 'freze'\n"
            "    3 | 20 freze router L2\n"
            "      |    ^\n"
            "hint: did you mean 'freeze'?\n");
  EXPECT_THAT(problem("freeze router L2\n"), HasSubstr("script:1:1: error: a line begins with the step"));
  EXPECT_THAT(problem("1o pause\n"), HasSubstr("script:1:1: "));
  EXPECT_THAT(problem("-1 pause\n"), HasSubstr("script:1:1: "));
  EXPECT_THAT(problem("10\n"), HasSubstr("script:1:3: error: a command is missing"));
  EXPECT_THAT(problem("101 stop\n"), HasSubstr("step 101 is not in this run\n"));
  EXPECT_THAT(problem("101 stop\n"), HasSubstr("hint: steps are 0 to 100\n"));
  EXPECT_THAT(problem("9 stop\n", 10), HasSubstr("hint: steps are 10 to 100\n"));
  EXPECT_THAT(problem("5 freeze router L3\n"), HasSubstr("script:1:3: error: there is no layer L3"));
  EXPECT_THAT(problem("5 freeze expert L1·E4\n"), HasSubstr("there is no expert E4"));
  EXPECT_THAT(problem("5 switch to stage 3\n"), HasSubstr("there is no stage 3\n"));
  EXPECT_THAT(problem("5 set train.lr 7\n"), HasSubstr("'train.lr' is 7, allowed is 0 to 1"));
  EXPECT_THAT(problem("5 set train.lr fast\n"), HasSubstr("must be a number"));
  EXPECT_THAT(problem("5 set train.steps 7\n"), HasSubstr("'train.steps' cannot change while a run goes on"));
  EXPECT_THAT(problem("5 set train.lrr 7\n"), HasSubstr("did you mean 'train.lr'?"));
}

TEST(Script, AllMistakesAreToldAtOnce) {
  const std::string text = problem("5 freze\n6 pause\n7 set x 1\n");
  EXPECT_THAT(text, HasSubstr("script:1:3: "));
  EXPECT_THAT(text, HasSubstr("script:3:3: "));
}

TEST(Script, APauseThatNothingEndsIsAMistake) {
  EXPECT_THAT(problem("10 pause\n12 resume\n"),
              HasSubstr("script:1:4: error: the run would pause at step 10 and wait for ever\n"));
  EXPECT_THAT(problem("10 step 5\n14 resume\n"), HasSubstr("would pause at step 15"));
  EXPECT_THAT(problem("10 pause\n10 step 5\n15 step 5\n"), HasSubstr("would pause at step 20"));
  EXPECT_EQ(problem("10 pause\n10 freeze router L1\n10 resume\n"), "");
  EXPECT_EQ(problem("10 step 5\n15 resume\n"), "");
  EXPECT_EQ(problem("10 step 5\n15 stop\n"), "");
  EXPECT_EQ(problem("10 step 90\n"), "") << "the run ends there";
  EXPECT_THAT(problem("10 resume\n10 pause\n"), HasSubstr("would pause at step 10"));
}

TEST(Script, AFileThatIsNone) {
  EXPECT_FALSE(read_script("no such file", config(), 0));
  EXPECT_FALSE(read_script("/", config(), 0));
}

}  // namespace
}  // namespace moescope::cli
