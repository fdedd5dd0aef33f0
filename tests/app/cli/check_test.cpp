#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

class Check : public Program {};

TEST_F(Check, TellsEveryMistakeOfEveryFile) {
  write("a.toml", "seed = -1\n[train]\nlr = 9\n");
  write("b.toml", "");
  write("c.toml", "[moe]\nmethod = 3\n");
  const Outcome outcome = run({"check", "a.toml", "b.toml", "c.toml"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(
      outcome.out,
      testing::MatchesRegex("b.toml: ok \\(stablemoe, 1500 steps; about [0-9]+ MB of memory, [0-9]+ MB on disk\\)\n"));
  EXPECT_EQ(outcome.err,
            "a.toml:1:8: error: 'seed' is -1, allowed is 0 or more\n"
            "    1 | seed = -1\n"
            "      |        ^\n"
            "a.toml:3:6: error: 'lr' is 9, allowed is 0 to 1\n"
            "    3 | lr = 9\n"
            "      |      ^\n"
            "c.toml:2:10: error: 'method' is 3, but must be a text in quotes\n"
            "    2 | method = 3\n"
            "      |          ^\n");
}

TEST_F(Check, WarningsAreShownButPass) {
  write("lint.toml", "[moe]\nmethod = \"switch\"\n[moe.router]\nbalance_coefficient = 0\n");
  const Outcome outcome = run({"check", "lint.toml"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::StartsWith("lint.toml: ok, with warnings (switch, 1500 steps; about "));
  EXPECT_THAT(outcome.err, testing::StartsWith("lint.toml:4:23: warning: "));
}

TEST_F(Check, ARunTooLargeForTheMemoryThatIsFreeIsAWarning) {
  write("large.toml", "[train]\nbatch_size = 512\n[model]\ncontext = 512\n");
  Surroundings small;
  small.address_limit = rlim_t{4} << 30;  // LibTorch alone takes about one of them
  const Outcome outcome = run({"check", "large.toml"}, small);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::StartsWith("large.toml: ok, with warnings (stablemoe, 1500 steps; about "));
  EXPECT_THAT(outcome.err, testing::StartsWith("large.toml:2:14: warning: the run needs about "));
  EXPECT_THAT(outcome.err, testing::HasSubstr("but the limit of this process (ulimit) leaves "));
}

TEST_F(Check, TakesOverridesToo) {
  write("a.toml", "seed = -1\n");
  EXPECT_EQ(run({"check", "a.toml", "--set", "seed=1"}).code, 0);
  EXPECT_EQ(run({"check", "--set", "seed=1", "a.toml"}).code, 0);
}

}  // namespace
}  // namespace moescope::cli
