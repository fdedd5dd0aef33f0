#include "core/record/run_reader.h"
#include "tests/app/cli/program.h"

namespace moescope::cli {
namespace {

using testing::HasSubstr;

class Interrupt : public Program {
 protected:
  pid_t start_long_run() const { return start({"train", tiny_config(), "--steps", "1000000", "--out", path("run")}); }
};

TEST_F(Interrupt, CtrlCStopsAtTheNextStepAndLeavesWholeFiles) {
  const pid_t child = start_long_run();
  ASSERT_TRUE(wait_for_output("{\"step\":5,"));
  ::kill(child, SIGINT);
  const Outcome outcome = wait(child);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_THAT(outcome.err, HasSubstr("Stopping at the next step; Ctrl-C again quits at once\n"));
  const auto lines = json_lines(outcome.out);
  EXPECT_EQ(lines.back()["state"], "interrupted");
  const auto recorded = record::RunReader::open(path("run"));
  ASSERT_TRUE(recorded) << format(recorded.error());
  EXPECT_EQ((*recorded)->last_step(), lines.back()["step"]);
  EXPECT_TRUE(std::filesystem::exists(path("run/final.safetensors")));
}

TEST_F(Interrupt, TheSecondOneQuitsAtOnce) {
  const pid_t child = start_long_run();
  ASSERT_TRUE(wait_for_output("{\"step\":5,"));
  // Until it is gone: two signals may be merged into one before the first is handled.
  for (int i = 0; i < 2000; ++i) {
    ::kill(child, SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
      break;
  }
  EXPECT_EQ(wait(child).code, 130);
}

TEST_F(Interrupt, SigtermIsTheSame) {
  const pid_t child = start_long_run();
  ASSERT_TRUE(wait_for_output("{\"step\":2,"));
  ::kill(child, SIGTERM);
  EXPECT_EQ(wait(child).code, 130);
  EXPECT_TRUE(std::filesystem::exists(path("run/final.safetensors")));
}

}  // namespace
}  // namespace moescope::cli
