#include "core/moe/method.h"

#include <algorithm>
#include <filesystem>

#include "tests/core/moe/moe_fixtures.h"

namespace moescope::moe {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = MOESCOPE_SOURCE_DIR;

config::RunConfig read(const std::string& text) {
  auto config = config::read_run_config(text, "run.toml", method_catalogue());
  EXPECT_TRUE(config.has_value()) << (config.has_value() ? "" : format(config.error()));
  return config.has_value() ? *config : config::RunConfig{};
}

std::string lints(const std::string& text) {
  const Diagnostics found = check_run(read(text));
  for (const Diagnostic& one : found) EXPECT_EQ(one.severity, Severity::kWarning);
  return format(found);
}

TEST(Methods, EveryRouterFileRegistersOneMethod) {
  std::size_t files = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(kSource / "core/moe/routers")) {
    if (entry.path().extension() == ".cpp") ++files;
  }
  EXPECT_EQ(methods().size(), files);
}

TEST(Methods, AreSortedAndFoundById) {
  EXPECT_TRUE(std::is_sorted(methods().begin(), methods().end(),
                             [](const Method& a, const Method& b) { return a.info.id < b.info.id; }));
  for (const Method& method : methods()) EXPECT_EQ(find_method(method.info.id), &method);
  EXPECT_EQ(find_method("nothing"), nullptr);
  EXPECT_EQ(method_catalogue().size(), methods().size());
}

TEST(MethodsDeathTest, TwoMethodsOfOneIdAreOurBug) {
  EXPECT_DEATH(RegisterMethod{*find_method("switch")}, "ids are unique");
}

TEST(Methods, EachHasASampleConfigurationThatPassesEveryCheck) {
  for (const Method& method : methods()) {
    const fs::path file = kSource / "sample_configs" / (method.info.id + ".toml");
    ASSERT_TRUE(fs::exists(file)) << file;
    const auto config = config::load_run_config(file.string(), method_catalogue());
    ASSERT_TRUE(config.has_value()) << format(config.error());
    EXPECT_EQ(config->moe.method, method.info.id);
    EXPECT_LE(config->train.steps, 60) << "the smallest run that shows it";
    EXPECT_EQ(format(check_run(*config)), "");
  }
}

TEST(Methods, DefaultsOfCommonKeysFollowTheMethod) {
  EXPECT_EQ(read("[moe]\nmethod = \"switch\"\n").moe.capacity_factor, 1.25);
  EXPECT_EQ(read("[moe]\nmethod = \"switch\"\n").moe.placement, "ffn");
  EXPECT_EQ(read("[moe]\nmethod = \"stablemoe\"\n").moe.capacity_factor, 2.0);
  EXPECT_EQ(read("[moe]\nmethod = \"stablemoe\"\n").moe.placement, "inserted");
  EXPECT_EQ(read("[moe]\nmethod = \"smoe\"\n").moe.capacity_factor, 0.0);
}

TEST(CheckRun, DefaultsHaveNothingToSay) {
  for (const Method& method : methods()) EXPECT_EQ(lints("[moe]\nmethod = \"" + method.info.id + "\"\n"), "");
}

TEST(CheckRun, OneChoiceWithASoftmaxAfterItIsPointedAt) {
  EXPECT_EQ(lints("[moe]\nmethod = \"smoe\"\n[moe.router]\ntop_k = 1\n"),
            "run.toml:4:9: warning: 'top_k' is 1 and the softmax comes after the choice: a softmax over one score is "
            "always 1, so the router gets no gradient from the task and never learns\n"
            "    4 | top_k = 1\n"
            "      |         ^\n"
            "hint: set top_k to 2 or more, or use method = \"switch\", whose softmax comes before the choice\n");
}

TEST(CheckRun, ABalanceLossSwitchedOffIsPointedAt) {
  EXPECT_NE(lints("[moe]\nmethod = \"switch\"\n[moe.router]\nbalance_coefficient = 0\n")
                .find("run.toml:4:23: warning: 'balance_coefficient' is 0: nothing spreads the load, so the router may "
                      "collapse onto a few experts"),
            std::string::npos);
}

TEST(CheckRun, AWordStudentOverBytesIsPointedAt) {
  const std::string bytes = "[data]\ntokenizer = \"bytes\"\n[moe]\nmethod = \"stablemoe\"\n";
  EXPECT_NE(lints(bytes).find("'student' is \"word\" with a vocabulary of 256 bytes"), std::string::npos);
  EXPECT_NE(lints("[data]\nvocab_size = 1000\n[moe]\nmethod = \"stablemoe\"\n").find("of 1000 pieces"),
            std::string::npos);
  EXPECT_EQ(lints(bytes + "[moe.router]\nstudent = \"bigram\"\n"), "");
}

TEST(CheckRun, ALearnStageThatNeverEndsOrNeverStartsIsPointedAt) {
  const std::string start = "[moe]\nmethod = \"stablemoe\"\n[train]\nsteps = 300\n[stages]\nlearn_steps = ";
  EXPECT_NE(
      lints(start + "300\n").find("'learn_steps' is 300, but the run has 300 steps: the frozen stage never starts"),
      std::string::npos);
  EXPECT_NE(lints(start + "0\n").find("the student never learns"), std::string::npos);
  EXPECT_EQ(lints(start + "90\n"), "");
}

TEST(CheckRun, TooFewSlotsAndASingleExpertArePointedAt) {
  EXPECT_NE(lints("[moe]\nmethod = \"switch\"\ncapacity_factor = 0.5\n").find("'capacity_factor' is 0.5: fewer slots"),
            std::string::npos);
  EXPECT_NE(lints("[moe]\nmethod = \"switch\"\nnum_experts = 1\n").find("the router has nothing to choose"),
            std::string::npos);
  EXPECT_EQ(lints("[moe]\nmethod = \"dense\"\nnum_experts = 1\n"), "");
}

}  // namespace
}  // namespace moescope::moe
