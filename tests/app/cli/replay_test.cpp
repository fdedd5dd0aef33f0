// A recorded run read, and trained again to the bit; and what is said when it is not what was recorded.
#include <set>

#include "tests/app/cli/recorded.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

/// Every kind of command, and more than 40 of them.
std::string steering() {
  return "# A lesson in steering\n"
         "2 pause\n2 resume\n4 step 3\n7 resume\n"
         "5 set train.lr 0.003\n8 freeze router L1\n9 unfreeze router L1\n10 freeze every router\n11 unfreeze every "
         "router\n"
         "12 freeze expert L1·E0\n13 freeze expert L2 E3\n14 unfreeze expert L1·E0\n15 freeze expert E1 of every "
         "layer\n"
         "16 unfreeze expert E1 of every layer\n17 unfreeze expert L2·E3\n18 probe \"a b c\"\n"
         "20 set moe.router.balance_coefficient 0.5\n21 save a checkpoint\n22 pin assignment L1\n24 unpin assignment "
         "L1\n"
         "26 pin every assignment\n28 unpin every assignment\n30 switch to stage 2\n33 set train.lr 0.001\n"
         "34 switch to stage 1\n36 freeze router L2\n38 save weights to middle.safetensors\n40 unfreeze router L2\n"
         "41 set train.lr 0.002\n42 set moe.router.balance_coefficient 0.1\n43 pause\n43 set train.lr 0.0021\n43 "
         "resume\n"
         "45 freeze expert L1·E1\n46 freeze expert L1·E1\n47 unfreeze expert L1·E1\n48 step 1\n49 step 1\n50 resume\n"
         "51 save a checkpoint\n52 switch to stage 2\n53 set moe.capacity_factor 1.5\n54 set moe.capacity_factor 0\n"
         "55 set train.lr 0.0005\n56 probe \"x\"\n57 stop\n";
}

class Replay : public Recorded {
 protected:
  void train_steered(const std::string& out) {
    const Outcome outcome = train(config("stablemoe"), out, {"--commands", write("steering", steering())});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
};

TEST_F(Replay, ASteeredRunIsRepeatedToTheBit) {
  train_steered("run");
  const auto reader = open("run");
  const auto journal = reader->commands();
  EXPECT_GE(journal.size(), 40U);
  std::set<bus::CommandKind> kinds;
  for (const record::CommandRow& row : journal) {
    ASSERT_TRUE(row.result) << row.number;
    if (row.result->done) kinds.insert(row.command.kind);
  }
  for (int kind = 0; kind < static_cast<int>(bus::CommandKind::kWatch); ++kind)
    EXPECT_TRUE(kinds.contains(static_cast<bus::CommandKind>(kind)))
        << bus::kind_name(static_cast<bus::CommandKind>(kind)) << " was never done";

  const auto before = bytes_of("run");
  const json whole = verdict("run");
  EXPECT_EQ(whole["code"], 0) << whole;
  EXPECT_EQ(whole["equal"], true);
  EXPECT_EQ(whole["frames"], 57);
  EXPECT_EQ(whole["state_hashes"], reader->state_hashes().size());
  EXPECT_GE(whole["state_hashes"], 14);
  EXPECT_EQ(whole["commands"], std::count_if(journal.begin(), journal.end(), [](const record::CommandRow& row) {
              return bus::changes_training(row.command.kind);
            }));
  const json late = verdict("run", {"--from", "45"});
  EXPECT_EQ(late["code"], 0) << late;
  EXPECT_EQ(late["first_step"], 40) << "the checkpoint before";
  EXPECT_EQ(late["frames"], 17);
  EXPECT_EQ(bytes_of("run"), before) << "the run is only read";

  const Outcome words = run({"replay", path("run"), "--verify"});
  EXPECT_EQ(words.code, 0);
  EXPECT_THAT(words.out, StartsWith("Equal to the bit, steps 1 to 57: 57 frames, "));
}

TEST_F(Replay, ItIsReadAsAPersonWouldReadIt) {
  train_steered("run");
  const Outcome outcome = run({"replay", path("run")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* part : {"stablemoe (stablemoe), stopped at step 57 of 60\n", "\nJournal\n", "freeze expert L2·E3",
                           "set train.lr 0.003", "refused: ", "  script  "})
    EXPECT_THAT(outcome.out, HasSubstr(part));
  const Outcome machine = run({"replay", path("run"), "--json"});
  const json all = json::parse(machine.out);
  EXPECT_EQ(all["step"], 57);
  EXPECT_EQ(all["steps"], 60);
  EXPECT_EQ(all["journal"].size(), open("run")->commands().size());
  EXPECT_EQ(all["journal"][0]["number"], 1);
  EXPECT_EQ(all["damages"], json::array());
}

TEST_F(Replay, WhatWasChangedBehindItsBackIsFound) {
  train_steered("run");
  const auto changed = [&](const std::string& name, const std::string& sql) {
    copy_run("run", name);
    tamper(name, sql);
    return verdict(name);
  };
  const json edited = changed("edited",
                              "UPDATE command SET json = replace(json, '0.003', '0.004') WHERE number = "
                              "(SELECT min(number) FROM command WHERE json LIKE '%0.003%')");
  EXPECT_EQ(edited["code"], 3) << edited;
  EXPECT_THAT(edited["err"].get<std::string>(), HasSubstr("error: the journal is not as it was written: "));
  const json cut = changed("cut", "DELETE FROM command WHERE number > 30");
  EXPECT_EQ(cut["code"], 3) << cut;
  EXPECT_THAT(cut["err"].get<std::string>(),
              HasSubstr("the journal is not as it was written: the journal lacks command 33"));
  const json gone = changed("gone", "DELETE FROM command WHERE number = 5");
  EXPECT_EQ(gone["code"], 3) << gone;

  const json state = changed("state",
                             "UPDATE state_hash SET hash = replace(hash, substr(hash, 1, 1), "
                             "CASE substr(hash, 1, 1) WHEN '0' THEN '1' ELSE '0' END) WHERE step = 32");
  EXPECT_EQ(state["code"], 3) << state;
  EXPECT_EQ(state["differs_at"], 32);
  EXPECT_EQ(state["last_equal"], 28);
  EXPECT_EQ(state["what"], "the hash of the whole state");

  const json config = changed("config",
                              "UPDATE meta SET value = CAST(replace(CAST(value AS TEXT), 'lr = 0.004', "
                              "'lr = 0.005') AS BLOB) WHERE key = 'facts'");
  EXPECT_EQ(config["code"], 3) << config;
  EXPECT_EQ(config["equal"], false);
  EXPECT_LE(config["differs_at"], 4);
  EXPECT_FALSE(config["what"].get<std::string>().empty());
}

TEST_F(Replay, TensorsThatDifferAreNamed) {
  const std::string file = config("loss_free");
  ASSERT_EQ(train(file, "run").code, 0);
  ASSERT_EQ(train(file, "other", {"--set", "train.lr=0.0041"}).code, 0);
  // One configuration's facts on the other one's record: everything that learns differs, step by step.
  sqlite3* source = nullptr;
  ASSERT_EQ(sqlite3_open_v2(path("other/run.db").c_str(), &source, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  sqlite3_close(source);
  tamper("run", "ATTACH '" + path("other/run.db") +
                    "' AS other; UPDATE meta SET value = (SELECT value FROM other.meta WHERE key = 'facts') "
                    "WHERE key = 'facts'");
  const Outcome outcome = run({"replay", path("run"), "--verify"});
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("Differs at step "));
  const json told = verdict("run");
  EXPECT_FALSE(told["tensors"].empty()) << told;
}

TEST_F(Replay, AnInterruptStopsIt) {
  ASSERT_EQ(train(config("loss_free", 1500), "run").code, 0);
  const pid_t child = start({"replay", path("run"), "--verify"});
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  ::kill(child, SIGINT);
  const Outcome outcome = wait(child);
  EXPECT_EQ(outcome.code, 130) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out + outcome.err,
              testing::ContainsRegex("Stopped at step [0-9,]+; equal up to there, steps 1 to "
                                     "[0-9,]+: .*; --from [0-9]+ goes on from there\n"));
}

TEST_F(Replay, ItsProgressSaysHowToStopIt) {
  ASSERT_EQ(train(config("loss_free", 300), "run").code, 0);
  const Outcome outcome = run_on_terminal({"replay", path("run"), "--verify"});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("/300 ["));
  EXPECT_THAT(outcome.out, HasSubstr("]  Ctrl-C stops and tells what was equal"));
}

TEST_F(Replay, WatchingChangesNothing) {
  const std::string file = config("stablemoe");
  ASSERT_EQ(train(file, "probed").code, 0);
  ASSERT_EQ(train(file, "unprobed", {"--no-probe"}).code, 0);
  ASSERT_EQ(train(file, "often",
                  {"--set", "probe.every=1", "--set", "probe.tokens=64", "--set", "record.hash_every=1", "--set",
                   "record.checkpoint_every=3"})
                .code,
            0);
  std::string pauses;
  for (int step = 2; step < 42; step += 2) {
    const std::string at = std::to_string(step);
    pauses += at + " pause\n" + at + " probe \"abc " + at + "\"\n" + at + " save a checkpoint\n" + at + " resume\n";
  }
  const Outcome paused = train(file, "paused", {"--commands", write("pauses", pauses)});
  ASSERT_EQ(paused.code, 0) << paused.err;
  EXPECT_EQ(open("paused")->commands().size(), 80U);
  for (const char* other : {"unprobed", "often", "paused"}) {
    EXPECT_EQ(weights(other), weights("probed")) << other;
    expect_same_training("probed", other, 1, 60);
  }
  const auto probes = [&](const std::string& name) {
    int count = 0;
    for (const auto& frame : open(name)->frames(1, 60)) count += frame->probe != nullptr;
    return count;
  };
  EXPECT_GE(probes("probed"), 4);
  EXPECT_EQ(probes("unprobed"), 0);
  EXPECT_GT(probes("often"), probes("probed"));
}

TEST_F(Replay, RunsAreListed) {
  ASSERT_EQ(train(config("stablemoe", 20), "all/first").code, 0);
  ASSERT_EQ(run({"fork", "all/first", "--step", "10", "--out", path("all/second")}).code, 0);
  EXPECT_EQ(open("all/second")->facts().parent_folder, std::filesystem::canonical(path("all/first")))
      << "wherever it is read from";
  write("all/notes.txt", "mine");
  const Outcome table = run({"runs", path("all")});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 3) << table.out;
  EXPECT_THAT(table.out, HasSubstr(path("all/first") + " at step 10\n"));
  copy_run("all/first", "all/a_copy");
  EXPECT_THAT(run({"runs", path("all")}).out, HasSubstr(path("all/first") + " at step 10\n")) << "not of the copy";
  std::filesystem::remove_all(path("all/a_copy"));
  const json list = json::parse(run({"runs", path("all"), "--json"}).out);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["state"], "finished");
  EXPECT_EQ(list[1]["parent_id"], list[0]["id"]);
  EXPECT_EQ(run({"runs", path("none")}).code, 2);
  EXPECT_THAT(run({"runs", path("all/second/checkpoints")}).err, HasSubstr("No recorded run in "));
}

}  // namespace
}  // namespace moescope::cli
