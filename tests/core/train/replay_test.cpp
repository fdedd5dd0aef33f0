// A steered run trained again from its journal has the same bits at every recorded step (D4), for every method and
// every live parameter it declares; and what is not as it was recorded is found and named.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "core/train/verify_run.h"
#include "tests/core/record/scratch_folder.h"
#include "tests/core/train/recorded_run.h"

namespace moescope {
namespace {

using bus::Command;
using bus::CommandKind;
using test::RecordedRun;

/// Another value that the field takes.
config::Value moved(const config::FieldSpec& spec, const config::Value& from) {
  if (spec.type == config::ValueType::kBool) return !std::get<bool>(from);
  if (spec.type == config::ValueType::kInteger) {
    const std::int64_t value = std::get<std::int64_t>(from);
    return static_cast<double>(value + 1) <= spec.maximum ? value + 1 : value - 1;
  }
  if (spec.type == config::ValueType::kNumber) {
    const double value = std::get<double>(from), wanted = value == 0 ? 0.01 : value * 0.75;
    return std::clamp(wanted, spec.minimum, spec.maximum);
  }
  return spec.choices.empty() || spec.choices.back() == std::get<std::string>(from)
             ? config::Value(spec.choices.front())
             : config::Value(spec.choices.back());
}

/// Every kind of command, every live parameter; a method refuses some, and that too is a part of its journal.
std::vector<Command> steering(const config::RunConfig& config) {
  const moe::Method& method = *moe::find_method(config.moe.method);
  std::vector<Command> commands = {test::on_layer(CommandKind::kFreezeRouter, 0),
                                   test::on_layer(CommandKind::kFreezeExpert, 1, 2),
                                   test::command(CommandKind::kPause),
                                   test::command(CommandKind::kResume),
                                   test::on_layer(CommandKind::kUnfreezeRouter, 0),
                                   test::on_layer(CommandKind::kPinAssignment, 1),
                                   test::with_text(CommandKind::kProbeSentence, "what comes next"),
                                   test::on_layer(CommandKind::kUnfreezeExpert, 1, 2),
                                   test::counted(CommandKind::kSwitchStage, 1),
                                   test::on_layer(CommandKind::kUnpinAssignment, 1),
                                   test::counted(CommandKind::kSwitchStage, 0),
                                   test::command(CommandKind::kCheckpoint),
                                   test::on_layer(CommandKind::kFreezeRouter, bus::kAllLayers),
                                   test::on_layer(CommandKind::kUnfreezeRouter, bus::kAllLayers),
                                   test::counted(CommandKind::kSwitchStage, 9),
                                   test::on_layer(CommandKind::kPinAssignment, bus::kAllLayers),
                                   test::on_layer(CommandKind::kUnpinAssignment, bus::kAllLayers)};
  const auto values = config::values_of(config, method.info);
  for (const auto& [key, spec] : config::run_fields(method.info)) {
    if (!spec.live) continue;
    commands.push_back(test::set(key, moved(spec, values.at(key))));
    commands.push_back(test::set(key, values.at(key)));
    commands.push_back(test::set(key, moved(spec, values.at(key))));
  }
  while (commands.size() < 40) commands.push_back(test::set("train.lr", 0.001 * static_cast<double>(commands.size())));
  return commands;
}

/// A command before every step of a run that is long enough for all.
void steer(RecordedRun& run, const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    run.send(command);
    run.trainer->step();
  }
}

class Steered : public ::testing::TestWithParam<std::string> {
 protected:
  Steered() : config(test::recorded_config(GetParam(), 1, {"train.steps=200"})) {}
  std::string folder(const std::string& name) const { return scratch / name; }
  train::VerifyRequest verification(const std::string& name, std::int64_t from = 0) const {
    return {folder(name), config, "", from, test::tiny_hooks().corpus};
  }
  config::RunConfig config;
  record::ScratchFolder scratch;
};
INSTANTIATE_TEST_SUITE_P(Replay, Steered, ::testing::ValuesIn(test::method_ids()),
                         [](const auto& chosen) { return chosen.param; });

TEST_P(Steered, RunsReplayToTheSameBitsFromTheStartAndFromACheckpoint) {
  const std::vector<Command> commands = steering(config);
  ASSERT_GE(commands.size(), 40U);
  train::StateHash end;
  {
    RecordedRun run(test::request_of(config, folder("run")));
    steer(run, commands);
    end = run.hash();
  }
  for (const std::int64_t from : {0, 30}) {
    const Result<train::Verdict> verdict = train::verify_run(verification("run", from), {}, {});
    ASSERT_TRUE(verdict) << format(verdict.error());
    EXPECT_TRUE(verdict->equal) << "step " << verdict->differs_at << ": " << verdict->what;
    EXPECT_GT(verdict->hashes, 0);
    EXPECT_GE(verdict->frames, static_cast<std::int64_t>(commands.size()) - from);
  }
  RecordedRun again(test::continued(config, folder("run")));
  EXPECT_EQ(test::difference(end, again.hash()), "");
  EXPECT_EQ(again.inexact(), "");
}

class Replay : public ::testing::Test {
 protected:
  Replay() : config(test::recorded_config("stablemoe", 1, {"train.steps=60"})) {
    RecordedRun run(test::request_of(config, folder()));
    run.steps_to(12);
    run.send(test::set("train.lr", 0.004));
    run.steps_to(25);
    run.send(test::on_layer(CommandKind::kFreezeRouter, 0));
    run.steps_to(45);
  }
  std::string folder() const { return scratch / "run"; }
  Result<train::Verdict> verify() const {
    return train::verify_run({folder(), config, "", 0, test::tiny_hooks().corpus}, {}, {});
  }
  void change(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder() + "/run.db").c_str(), &database), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    EXPECT_GT(sqlite3_changes(database), 0);
    sqlite3_close(database);
  }
  config::RunConfig config;
  record::ScratchFolder scratch;
};

TEST_F(Replay, IsEqualWhenNothingWasTouched) {
  const auto verdict = verify();
  ASSERT_TRUE(verdict) << format(verdict.error());
  EXPECT_TRUE(verdict->equal) << verdict->what;
  EXPECT_EQ(verdict->commands, 2);
  EXPECT_EQ(verdict->hashes, 4);
  EXPECT_EQ(verdict->frames, 45);
  EXPECT_TRUE(verdict->notes.empty());
}

TEST_F(Replay, ACommandThatWasEditedBreaksTheChain) {
  change("UPDATE command SET json = replace(json, '0.004', '0.005') WHERE number = 1");
  const auto verdict = verify();
  ASSERT_FALSE(verdict);
}

TEST_F(Replay, AJournalCutAtItsEndIsSeen) {
  change("DELETE FROM command WHERE number = 2");
  const auto verdict = verify();
  ASSERT_FALSE(verdict);
  EXPECT_NE(format(verdict.error()).find("the journal lacks command 2, which was there at step 30"), std::string::npos)
      << format(verdict.error());
}

TEST_F(Replay, AnotherConfigurationDiffersAtTheFirstStepAndTheTensorsAreNamed) {
  config = test::recorded_config("stablemoe", 1, {"train.steps=60", "train.weight_decay=0.02"});
  const auto verdict = verify();
  ASSERT_TRUE(verdict) << format(verdict.error());
  EXPECT_FALSE(verdict->equal);
  EXPECT_EQ(verdict->differs_at, 2) << verdict->what;  // the first update is the first to differ
  EXPECT_FALSE(verdict->tensors.empty());
  EXPECT_EQ(verdict->last_equal, 0);
}

TEST_F(Replay, AnEditedHashIsFoundAtItsStep) {
  change("UPDATE state_hash SET hash = '00000000000000000000000000000000' WHERE step = 30");
  const auto verdict = verify();
  ASSERT_TRUE(verdict) << format(verdict.error());
  EXPECT_FALSE(verdict->equal);
  EXPECT_EQ(verdict->differs_at, 30);
  EXPECT_EQ(verdict->last_equal, 20);
  EXPECT_EQ(verdict->what, "the hash of the whole state");
}

}  // namespace
}  // namespace moescope
