// A run that was stopped or killed, gone on with by another process: to the bit what it would have been.
#include "tests/app/cli/recorded.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Resume : public Recorded {};

class ResumeEvery : public Recorded, public testing::WithParamInterface<std::string> {};

TEST_P(ResumeEvery, StoppedAndResumedInANewProcessIsTheSameRun) {
  const std::string file = config(GetParam());
  ASSERT_EQ(train(file, "whole").code, 0);
  const Outcome part = train(file, "part", {"--commands", write("script", "33 stop\n")});
  ASSERT_EQ(part.code, 0) << part.err;
  EXPECT_EQ(open("part")->last_step(), 33);
  EXPECT_NE(weights("part"), weights("whole"));
  const Outcome rest = run({"resume", path("part")});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_THAT(rest.err,
              HasSubstr("Goes on from checkpoint step-000000033.final.safetensors (step 33), then on to step 60"));
  EXPECT_THAT(rest.err, Not(HasSubstr("not bit-exact")));
  const auto lines = json_lines(rest.out);
  EXPECT_EQ(lines.front()["from_step"], 33);
  EXPECT_EQ(lines[1]["step"], 34) << "what is recorded already is not told again";
  EXPECT_EQ(lines.back()["state"], "finished");
  EXPECT_EQ(weights("part"), weights("whole"));
  expect_same_training("part", "whole", 1, 60);
}

INSTANTIATE_TEST_SUITE_P(Methods, ResumeEvery, testing::Values("stablemoe", "loss_free", "thor", "remoe"),
                         [](const auto& method) { return method.param; });

TEST_F(Resume, AfterAKillTheRestIsTrainedAgainFromTheNewestCheckpoint) {
  const std::string file = config("loss_free", 900);
  ASSERT_EQ(train(file, "whole").code, 0);
  const pid_t child = start({"train", file, "--out", path("part")});
  ASSERT_TRUE(wait_for_output("{\"step\":150,"));
  ::kill(child, SIGKILL);
  EXPECT_EQ(wait(child).code, 1000 + SIGKILL);
  const std::int64_t reached = open("part")->last_step();
  ASSERT_GE(reached, 80) << "at most 64 steps or a quarter of a second are lost";
  ASSERT_LT(reached, 900);
  const Outcome rest = run({"resume", path("part")});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(weights("part"), weights("whole"));
  expect_same_training("part", "whole", 1, 900);
  EXPECT_EQ(verdict("part")["code"], 0) << "a run that was killed can be verified like any other";
}

TEST_F(Resume, WithoutAnyCheckpointItBeginsAgainAndComesToTheSameBits) {
  const std::string file = config("stablemoe", 40);
  ASSERT_EQ(train(file, "whole").code, 0);
  ASSERT_EQ(train(file, "part", {"--commands", write("script", "10 freeze expert L1·E2\n19 stop\n")}).code, 0);
  ASSERT_EQ(train(file, "steered", {"--commands", write("script", "10 freeze expert L1·E2\n")}).code, 0);
  fs::remove_all(path("part/checkpoints"));
  const Outcome rest = run({"resume", path("part")});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_THAT(rest.err,
              HasSubstr("Goes on from the beginning, as there is no checkpoint; 19 recorded steps are trained "
                        "again, to the same bits, then on to step 40\n"));
  EXPECT_EQ(weights("part"), weights("steered")) << "the command acted again";
  EXPECT_NE(weights("part"), weights("whole"));
}

TEST_F(Resume, ADamagedCheckpointIsPassedOver) {
  const std::string file = config("stablemoe", 50);
  ASSERT_EQ(train(file, "whole").code, 0);
  ASSERT_EQ(train(file, "part", {"--commands", write("script", "33 stop\n")}).code, 0);
  const std::string newest = path("part/checkpoints/step-000000033.final.safetensors");
  std::string bytes = content_of(newest);
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  std::ofstream(newest, std::ios::binary) << bytes;
  const Outcome rest = run({"resume", path("part")});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(weights("part"), weights("whole"));
}

TEST_F(Resume, AFinishedRunIsLeftAsItIs) {
  ASSERT_EQ(train(config("stablemoe", 10), "run").code, 0);
  const auto before = bytes_of("run");
  const Outcome outcome = run({"resume", path("run")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, path("run") + " is finished at step 10: nothing is left to train\n");
  EXPECT_EQ(bytes_of("run"), before);
}

TEST_F(Resume, ARunThatIsBeingTrainedIsLeftAlone) {
  const std::string file = config("stablemoe", 1000000);
  const pid_t child = start({"train", file, "--out", path("run")});
  ASSERT_TRUE(wait_for_output("{\"step\":30,"));
  const Outcome second = run_beside({"resume", path("run")});
  EXPECT_EQ(second.code, 2);
  EXPECT_THAT(second.err, HasSubstr("error: this run is being trained at this moment"));
  ::kill(child, SIGINT);
  EXPECT_EQ(wait(child).code, 130) << "the first goes on unharmed";
  const auto reader = open("run");
  EXPECT_EQ(reader->frames(1, reader->last_step()).size(), static_cast<std::size_t>(reader->last_step()));
}

TEST_F(Resume, AnInterruptedOneCanBeInterruptedAgain) {
  const std::string file = config("remoe", 600);
  ASSERT_EQ(train(file, "whole").code, 0);
  const pid_t first = start({"train", file, "--out", path("part")});
  ASSERT_TRUE(wait_for_output("{\"step\":50,"));
  ::kill(first, SIGINT);
  ASSERT_EQ(wait(first).code, 130);
  const std::int64_t reached = open("part")->last_step();
  const pid_t second = start({"resume", path("part")});
  ASSERT_TRUE(wait_for_output("{\"step\":" + std::to_string(reached + 30) + ","));
  ::kill(second, SIGINT);
  ASSERT_EQ(wait(second).code, 130);
  ASSERT_GT(open("part")->last_step(), reached);
  ASSERT_EQ(run({"resume", path("part")}).code, 0);
  EXPECT_EQ(weights("part"), weights("whole"));
  expect_same_training("part", "whole", 1, 600);
}

}  // namespace
}  // namespace moescope::cli
