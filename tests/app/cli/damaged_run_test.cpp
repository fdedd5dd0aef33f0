// Runs whose record or checkpoints are damaged, and how runs ended: what the program says and what it leaves alone.
#include "tests/app/cli/recorded.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DamagedRun : public Recorded {
 protected:
  /// Stopped at step 90 of 120, and cut so that all its tables are there and little else.
  void make_cut_run() {
    ASSERT_EQ(train(config("loss_free", 120), "whole").code, 0);
    ASSERT_EQ(train(config("loss_free", 120), "run", {"--commands", write("script", "90 stop\n")}).code, 0);
    const std::string file = path("run/run.db");
    ASSERT_GT(fs::file_size(file), 13U * 8192);
    fs::resize_file(file, 12 * 8192);
  }
  void damage(const std::string& checkpoint) const {
    std::string bytes = content_of(checkpoint);
    ASSERT_GT(bytes.size(), 100U);
    bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
    std::ofstream(checkpoint, std::ios::binary) << bytes;
  }
};

TEST_F(DamagedRun, ACutOneIsNotResumedButForkedAndExportedAsItsMessageSays) {
  make_cut_run();
  const auto before = bytes_of("run");
  const Outcome outcome = run({"resume", path("run")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err,
              testing::MatchesRegex(".*/run.db: error: is cut off: it has 98,304 of [0-9,]+ bytes; the run "
                                    "cannot be continued\nhint: fork it at step 90, from the newest "
                                    "checkpoint that can be read, or export what can be read\n"));
  EXPECT_EQ(bytes_of("run"), before);
  const Outcome fork = run({"fork", path("run"), "--step", "90", "--out", path("child")});
  EXPECT_EQ(fork.code, 0) << fork.err;
  EXPECT_EQ(weights("child"), weights("whole"));
  EXPECT_EQ(run({"export", path("run"), "--csv", "--out", path("tables")}).code, 0);
  EXPECT_EQ(bytes_of("run"), before);
}

TEST_F(DamagedRun, WithoutAWholeJournalOnlyACheckpointCanBeForked) {
  ASSERT_EQ(train(config("loss_free", 60), "run", {"--commands", write("script", "10 set train.lr 0.003\n")}).code, 0);
  tamper("run", "DELETE FROM command");
  const Outcome between = run({"fork", path("run"), "--step", "30", "--out", path("child")});
  EXPECT_EQ(between.code, 2);
  EXPECT_THAT(between.err, HasSubstr("hint: the run can be forked at the step of a checkpoint: 20, 40, 60\n"));
  EXPECT_FALSE(fs::exists(path("child")));
  const Outcome at = run({"fork", path("run"), "--step", "40", "--out", path("child")});
  EXPECT_EQ(at.code, 0) << at.err;
  EXPECT_EQ(weights("child"), weights("run"));
}

TEST_F(DamagedRun, ACheckpointThatIsPassedOverIsNamedWithWhatIsUsedInstead) {
  ASSERT_EQ(train(config("stablemoe", 50), "run", {"--commands", write("script", "33 stop\n")}).code, 0);
  damage(path("run/checkpoints/step-000000033.final.safetensors"));
  const std::string warning =
      "warning: checkpoint step-000000033.final.safetensors cannot be used: its data are damaged: they are not what "
      "was "
      "written; step-000000020.safetensors is used instead\n";
  const Outcome fork = run({"fork", path("run"), "--step", "33", "--out", path("child")});
  EXPECT_EQ(fork.code, 0) << fork.err;
  EXPECT_THAT(fork.err, HasSubstr(warning));
  const Outcome rest = run({"resume", path("run")});
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr(warning + "Goes on from checkpoint step-000000020.safetensors (step 20); 13 recorded "
                                            "steps are trained again, to the same bits, then on to step 50\n"));
  const auto events = open("run")->events();
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const record::EventRow& event) {
    return event.text.find("step-000000020.safetensors is used instead") != std::string::npos;
  })) << "the record tells it too";
}

TEST_F(DamagedRun, RunsAreListedWithHowTheyEnded) {
  const auto state = [&](const std::string& name) {
    return json::parse(run_beside({"runs", path(name), "--json"}).out)[0]["state"].get<std::string>();
  };
  ASSERT_EQ(train(config("stablemoe", 20), "all/finished").code, 0);
  EXPECT_EQ(state("all/finished"), "finished");
  ASSERT_EQ(train(config("stablemoe", 50), "all/stopped", {"--commands", write("script", "33 stop\n")}).code, 0);
  EXPECT_EQ(state("all/stopped"), "stopped at step 33 of 50");
  copy_run("all/stopped", "all/failed");
  tamper("all/failed",
         "INSERT INTO event VALUES(1000, 34, NULL, 0, 'failure', 'forward: the loss is not finite', 'lab')");
  EXPECT_EQ(state("all/failed"), "failed at step 34 of 50");
  ASSERT_EQ(run_beside({"resume", path("all/failed")}).code, 0);
  EXPECT_EQ(state("all/failed"), "finished") << "what came later counts";
  const pid_t child = start({"train", config("loss_free", 1000000), "--out", path("all/killed")});
  ASSERT_TRUE(wait_for_output("{\"step\":70,"));
  EXPECT_THAT(state("all/killed"), testing::AllOf(StartsWith("running, step "), testing::EndsWith(" of 1,000,000")));
  ::kill(child, SIGKILL);
  wait(child);
  EXPECT_THAT(state("all/killed"), StartsWith("interrupted at step "));
  copy_run("all/stopped", "all/cut");
  fs::resize_file(path("all/cut/run.db"), 12 * 8192);
  EXPECT_THAT(state("all/cut"), StartsWith("damaged, readable to step "));
  fs::remove(path("all/killed/run.db"));
  EXPECT_THAT(run({"runs", path("all")}).err, HasSubstr("/all/killed: error: is a run without its file run.db"));
}

TEST_F(DamagedRun, ARefusedOneLeavesNothingInTheWayOfTheNext) {
  const std::string file = config("stablemoe", 20);
  const Outcome refused = train(file, "run", {"--set", "model.init_from=" + path("nothing.safetensors")});
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_FALSE(fs::exists(path("run")));
  EXPECT_EQ(train(file, "run").code, 0);
}

TEST_F(DamagedRun, AVerificationWithoutAHashOfTheStateSaysSo) {
  ASSERT_EQ(train(config("stablemoe", 20), "run", {"--set", "record.hash_every=1000"}).code, 0);
  const Outcome outcome = run({"replay", path("run"), "--verify"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.out,
            "The state could not be compared: no hash of it is recorded in these steps. Nothing else differs, "
            "steps 1 to 20: 20 frames, 0 state hashes, 0 commands\n");
  EXPECT_THAT(run({"replay", "--help"}).out, HasSubstr("no hash of the state is recorded to compare with"));
  EXPECT_EQ(verdict("run")["equal"], false);
}

}  // namespace
}  // namespace moescope::cli
