// Every wrong input the program can be given: one clear message, exit code 2, and nothing left behind.
#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class BadInput : public Program {
 protected:
  /// The whole of what `train` says about a configuration of these lines.
  std::string told(const std::string& lines) const {
    const std::string config = write("run.toml", lines);
    const Outcome outcome = run({"train", "run.toml", "--out", "run"});
    EXPECT_EQ(outcome.code, 2) << lines;
    EXPECT_EQ(outcome.out, "");
    EXPECT_FALSE(fs::exists(path("run"))) << "nothing is made for a run that cannot start";
    return outcome.err;
  }
  std::string told_with(const std::vector<std::string>& arguments) const {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  }
};

TEST_F(BadInput, ARunThatCannotFitIntoMemoryIsRefusedWithItsNeed) {
  write("run.toml", "[data]\ncorpus = \"synthetic\"\n[train]\nbatch_size = 512\n[model]\ncontext = 512\n");
  Surroundings small;
  small.address_limit = rlim_t{4} << 30;  // LibTorch alone takes about one of them
  const Outcome outcome = run({"train", "run.toml", "--out", "run"}, small);
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("run.toml: the run needs about "));
  EXPECT_THAT(outcome.err, HasSubstr(" GB of memory: "));
  EXPECT_THAT(outcome.err, HasSubstr("but the limit of this process (ulimit) leaves "));
  EXPECT_THAT(outcome.err, HasSubstr("; a smaller train.batch_size"));
}

TEST_F(BadInput, InAConfigurationPointsAtItsPlace) {
  EXPECT_EQ(told("[train]\nstepps = 3\n"),
            "run.toml:2:1: error: unknown key 'stepps' in [train]\n"
            "    2 | stepps = 3\n"
            "      | ^\n"
            "hint: did you mean 'steps'?\n");
  EXPECT_EQ(told("[train]\nlr = \"fast\"\n"),
            "run.toml:2:6: error: 'lr' is \"fast\", but must be a number\n"
            "    2 | lr = \"fast\"\n"
            "      |      ^\n");
  EXPECT_EQ(told("[train]\nlr = 7\n"),
            "run.toml:2:6: error: 'lr' is 7, allowed is 0 to 1\n"
            "    2 | lr = 7\n"
            "      |      ^\n");
  EXPECT_EQ(told("[moe]\nmethod = \"smoe\"\nnum_experts = 8\n[moe.router]\ntop_k = 9\n"),
            "run.toml:5:9: error: 'top_k' is 9, but this layer has 8 experts\n"
            "    5 | top_k = 9\n"
            "      |         ^\n"
            "hint: 'num_experts' is set on line 3; top_k may be 1 to 8\n");
  EXPECT_THAT(told("[moe]\nmethod = \"stablemo\"\n"), HasSubstr("hint: did you mean 'stablemoe'?\n"));
  EXPECT_THAT(told("seed = 1\n[=]\n"), StartsWith("run.toml:2:1: error: this line is not valid TOML\n"));
}

TEST_F(BadInput, AConfigurationThatIsNoFile) {
  tiny_config();
  EXPECT_EQ(told_with({"train", "tinny.toml"}),
            "tinny.toml: error: there is no such file\nhint: did you mean 'tiny.toml'?\n");
  EXPECT_EQ(told_with({"train", folder_}), folder_ + ": error: this is a folder, not a configuration file\n");
  EXPECT_EQ(told_with({"check", "none.toml"}), "none.toml: error: there is no such file\n");
}

TEST_F(BadInput, ARunFolderThatCannotBeTaken) {
  const std::string config = tiny_config();
  write("full/precious.txt", "mine");
  EXPECT_EQ(told_with({"train", config, "--out", "full"}),
            "full: error: this folder is not empty\nhint: name a new or empty folder for the run\n");
  EXPECT_EQ(
      told_with({"train", config, "--out", "full/precious.txt"}),
      "full/precious.txt: error: a file of this name is in the way\nhint: name a new or empty folder for the run\n");
  EXPECT_EQ(content_of(path("full/precious.txt")), "mine");
  if (::geteuid() == 0) return;  // root may write everywhere
  fs::create_directory(path("locked"));
  fs::permissions(path("locked"), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(told_with({"train", config, "--out", "locked/run"}),
            "locked/run: error: cannot be written: Permission denied\nhint: name a folder that you may write to\n");
  fs::permissions(path("locked"), fs::perms::owner_all);
}

TEST_F(BadInput, ACorpusThatIsMissingOrTooSmall) {
  const std::string config = tiny_config();
  Outcome outcome = run({"train", config, "--set", "data.corpus=./none.txt"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("none.txt"));
  write("small.txt", "too short\n");
  outcome = run({"train", config, "--set", "data.corpus=./small.txt"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("small.txt"));
}

TEST_F(BadInput, OnTheCommandLine) {
  const std::string config = tiny_config();
  EXPECT_EQ(told_with({"trian", config}), "error: there is no verb 'trian'\nhint: did you mean 'train'?\n");
  EXPECT_THAT(told_with({"frobnicate"}),
              StartsWith("error: there is no verb 'frobnicate'\nhint: verbs are train, resume, fork, "));
  EXPECT_EQ(told_with({"train", config, "--stepz", "3"}),
            "error: moescope-cli train has no option '--stepz'\nhint: did you mean '--steps'?\n");
  EXPECT_EQ(told_with({"train"}), "error: CONFIG is required\nhint: moescope-cli train --help tells what there is\n");
  EXPECT_EQ(told_with({"train", config, "--steps", "many"}),
            "--set train.steps=many: error: 'steps' is \"many\", but must be a whole number\n");
  EXPECT_EQ(told_with({"train", config, "--steps", "0"}),
            "--set train.steps=0: error: 'steps' is 0, allowed is 1 to 10,000,000\n");
  EXPECT_EQ(told_with({"train", config, "--set", "train.stepz=1"}),
            "--set train.stepz=1: error: unknown key 'stepz' in [train]\nhint: did you mean 'steps'?\n");
  EXPECT_THAT(told_with({}), HasSubstr("Subcommands:"));
}

TEST_F(BadInput, HelpAndVersionAreNoErrors) {
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{{}, {"train"}, {"check"}, {"methods"}, {"corpora"}}) {
    auto arguments = verb;
    arguments.push_back("--help");
    const Outcome help = run(arguments);
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, HasSubstr("Usage: "));
    arguments.back() = "--version";
    const Outcome version = run(arguments);
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out, testing::MatchesRegex("moescope-cli [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  }
}

}  // namespace
}  // namespace moescope::cli
