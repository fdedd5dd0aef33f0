// train --isolate: the same run in a process of its own, and what is said when that process ends.
#include "core/record/run_reader.h"
#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

using testing::HasSubstr;

class Isolate : public Program {
 protected:
  /// The process that trains for `parent`.
  static pid_t child_of(pid_t parent) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(parent) + "/task")) {
      std::istringstream children(content_of(task.path() / "children"));
      if (pid_t child = 0; children >> child) return child;
    }
    return -1;
  }
  pid_t start_long_run() const {
    return start({"train", tiny_config(), "--isolate", "--steps", "1000000", "--out", path("run")});
  }
};

TEST_F(Isolate, TellsTheSameLinesAndLeavesTheSameWeights) {
  const Outcome plain = run({"train", tiny_config(), "--out", path("plain")});
  const Outcome apart = run({"train", tiny_config(), "--out", path("apart"), "--isolate"});
  ASSERT_EQ(apart.code, 0) << apart.err;
  auto expected = json_lines(plain.out), told = json_lines(apart.out);
  ASSERT_EQ(told.size(), expected.size());
  for (std::size_t i = 0; i < told.size(); ++i)
    for (auto* line : {&expected[i], &told[i]})
      for (const char* timed : {"run", "step_ms", "watch_ms", "tokens_per_second", "events"}) line->erase(timed);
  EXPECT_EQ(told, expected);
  EXPECT_TRUE(content_of(path("plain/final.safetensors")) == content_of(path("apart/final.safetensors")));
}

TEST_F(Isolate, CtrlCReachesTheTrainingOnce) {
  const pid_t parent = start_long_run();
  ASSERT_TRUE(wait_for_output("{\"step\":5,"));
  ::kill(parent, SIGINT);
  const Outcome outcome = wait(parent);
  EXPECT_EQ(outcome.code, 130);
  const auto recorded = record::RunReader::open(path("run"));
  ASSERT_TRUE(recorded) << format(recorded.error());
  EXPECT_EQ((*recorded)->last_step(), json_lines(outcome.out).back()["step"]);
  EXPECT_TRUE(std::filesystem::exists(path("run/final.safetensors")));
}

TEST_F(Isolate, AKilledTrainingIsToldAndItsRunCanBeContinued) {
  const pid_t parent = start_long_run();
  ASSERT_TRUE(wait_for_output("{\"step\":5,"));
  const pid_t child = child_of(parent);
  ASSERT_GT(child, 0);  // −1 would mean every process there is
  ::kill(child, SIGKILL);
  const Outcome outcome = wait(parent);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("(process): the training process was killed by signal 9 (out of memory?). The run "
                                     "is recorded in " +
                                     path("run") + " and can be continued"));
  EXPECT_EQ(json_lines(outcome.out).back()["state"], "failed");
  const auto recorded = record::RunReader::open(path("run"));
  EXPECT_TRUE(recorded) << format(recorded.error());
}

TEST_F(Isolate, AKilledProgramLeavesNoTrainingBehind) {
  const pid_t parent = start_long_run();
  ASSERT_TRUE(wait_for_output("{\"step\":5,"));
  const pid_t child = child_of(parent);
  ASSERT_GT(child, 0);
  ::kill(parent, SIGKILL);
  wait(parent);
  bool gone = false;
  for (int i = 0; i < 3000 && !gone; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
    const std::string state = content_of("/proc/" + std::to_string(child) + "/stat");
    gone = state.empty() || state.find(") Z ") != std::string::npos;  // nobody may reap orphans here
  }
  EXPECT_TRUE(gone);
  EXPECT_TRUE(std::filesystem::exists(path("run/final.safetensors"))) << "it stopped as if asked to";
}

TEST_F(Isolate, ServeIsNotForPeople) {
  const Outcome outcome = run({"serve", "--fd", "77"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "error: descriptor 77 is not open; it is the socket that a window hands over\n");
  EXPECT_EQ(run_on_terminal({"serve"}).code, 2);
}

}  // namespace
}  // namespace moescope::cli
