// Every method with one and two threads, cuts at any step and kills at any moment, each time gone on with by a new
// process. Takes minutes: `./lab test --long`.
#include <random>

#include "app/cli/registered.h"
#include "tests/app/cli/recorded.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;

class EveryMethod : public Recorded, public testing::WithParamInterface<std::tuple<std::string, int>> {};

TEST_P(EveryMethod, StoppedAndResumedInANewProcessIsTheSameRun) {
  const auto& [method, threads] = GetParam();
  // Threads that spin while they wait take minutes where other programs run beside; how they wait changes no bits.
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  const std::vector<std::string> more{"--steps", "200",
                                      "--set",   "train.threads=" + std::to_string(threads),
                                      "--set",   "data.corpus=synthetic",
                                      "--set",   "data.tokenizer=bytes",
                                      "--set",   "record.hash_every=4",
                                      "--set",   "record.checkpoint_every=70"};
  std::vector<std::string> cut = more;
  cut.insert(cut.end(), {"--commands", write("script", "100 stop\n")});
  ASSERT_EQ(train(sample(method + ".toml"), "whole", more).code, 0);
  ASSERT_EQ(train(sample(method + ".toml"), "part", cut).code, 0);
  const Outcome rest = run({"resume", path("part")});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(weights("part"), weights("whole"));
  expect_same_training("part", "whole", 1, 200);
  const auto told = verdict("part");
  EXPECT_EQ(told["code"], 0) << told;
}

std::vector<std::string> methods() {
  std::vector<std::string> names;
  for (const config::MethodInfo& method : registered_methods()) names.push_back(method.id);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod, testing::Combine(testing::ValuesIn(methods()), testing::Values(1, 2)),
                         [](const auto& one) {
                           return std::get<0>(one.param) + "_" + std::to_string(std::get<1>(one.param));
                         });

class Cut : public Recorded {
 protected:
  /// A lesson with both stages and every kind of change, on two layers.
  std::string steering() const {
    return "7 set train.lr 0.003\n11 freeze router L1\n19 freeze expert L2·E3\n23 unfreeze router L1\n"
           "29 pin assignment L1\n37 unpin assignment L1\n41 switch to stage 2\n53 switch to stage 1\n"
           "59 set moe.router.balance_coefficient 0.3\n61 unfreeze expert L2·E3\n67 switch to stage 2\n";
  }
  std::string newest(const std::string& name) const { return open(name)->checkpoints().back().file; }
};

TEST_F(Cut, AtAnyStepIsResumedToTheSameBits) {
  const std::string file = config("stablemoe", 90);
  ASSERT_EQ(train(file, "whole", {"--commands", write("script", steering())}).code, 0);
  std::mt19937 generator(11);
  for (int round = 0; round < 30; ++round) {
    const auto step = static_cast<std::int64_t>(generator() % 88 + 1);
    const std::string name = "cut" + std::to_string(round);
    std::string script;
    std::istringstream lines(steering());
    // What comes after the cut is told at the cut's resume by the journal alone, so only what acts before it counts.
    std::int64_t last = 0;
    for (std::string line; std::getline(lines, line);)
      if (std::stoll(line) < step) script += line + '\n', last = std::stoll(line);
    ASSERT_EQ(train(file, name + "whole", {"--commands", write("script", script)}).code, 0);
    ASSERT_EQ(train(file, name, {"--commands", write("script", script + std::to_string(step) + " stop\n")}).code, 0);
    if (round % 3 == 0) fs::remove(path(name + "/checkpoints/" + newest(name)));  // then more must be trained again
    const Outcome rest = run({"resume", path(name)});
    ASSERT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(weights(name), weights(name + "whole")) << "cut at " << step << ", last command at " << last;
    expect_same_training(name, name + "whole", 1, 90);
    fs::remove_all(path(name));
    fs::remove_all(path(name + "whole"));
  }
}

TEST_F(Cut, AKillAtAnyMomentIsResumedToTheSameBits) {
  const std::string file = config("loss_free", 600);
  ASSERT_EQ(train(file, "whole").code, 0);
  std::mt19937 generator(5);
  int resumed = 0;
  for (int round = 0; round < 30; ++round) {
    const std::string name = "kill" + std::to_string(round);
    const pid_t child = start({"train", file, "--out", path(name)});
    std::this_thread::sleep_for(std::chrono::milliseconds(200 + generator() % 1500));
    ::kill(child, SIGKILL);
    wait(child);
    if (!fs::exists(path(name + "/run.db"))) continue;  // killed before it began to record
    for (int again = 0; again < 3; ++again) {           // and the one that goes on is killed too
      const pid_t more = start({"resume", path(name)});
      std::this_thread::sleep_for(std::chrono::milliseconds(200 + generator() % 800));
      ::kill(more, SIGKILL);
      wait(more);
    }
    const Outcome rest = run({"resume", path(name)});
    ASSERT_EQ(rest.code, 0) << rest.err;
    EXPECT_EQ(weights(name), weights("whole"));
    expect_same_training(name, "whole", 1, 600);
    for (const auto& entry : fs::recursive_directory_iterator(path(name)))
      EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
    ++resumed;
    fs::remove_all(path(name));
  }
  std::printf("%d killed runs resumed\n", resumed);
  EXPECT_GT(resumed, 10);
}

}  // namespace
}  // namespace moescope::cli
