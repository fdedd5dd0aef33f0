#include "core/record/run_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/record/run_schema.h"
#include "core/telemetry/frame_bytes.h"
#include "tests/core/record/recorded_run.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::int64_t kSteps = 150;

/// Every file of the folder with its bytes.
std::map<std::string, std::string> image_of(const std::string& folder) {
  std::map<std::string, std::string> image;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    image[entry.path().string()] = entry.is_regular_file() ? content_of(entry.path().string()) : "folder";
  return image;
}

/// Edits the file as any SQLite program could.
void edit(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  char* problem = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK) << (problem ? problem : "");
  sqlite3_free(problem);
  sqlite3_close(db);
}

std::string bytes_of(const telemetry::TelemetryFrame& frame) { return telemetry::frame_bytes(frame); }

class RunReaderTest : public testing::Test {
 protected:
  RunReaderTest() { write_run(folder_, kSteps); }

  std::unique_ptr<RunReader> opened() {
    auto reader = RunReader::open(folder_);
    EXPECT_TRUE(reader) << (reader ? "" : format(reader.error()));
    return reader ? std::move(*reader) : nullptr;
  }
  /// What open() says, without the place before it.
  static std::string refusal(const std::string& path) {
    const auto reader = RunReader::open(path);
    if (reader) return "opened";
    const Diagnostic& why = reader.error().front();
    return why.message + (why.hint.empty() ? "" : " | " + why.hint);
  }
  std::string refusal() const { return refusal(folder_); }
  void edit_run(const std::string& sql) { edit(folder_ + "/run.db", sql); }
  static void expect_all_frames(RunReader& reader, std::int64_t steps = kSteps) {
    const auto frames = reader.frames(0, steps + 100);
    ASSERT_EQ(frames.size(), static_cast<std::size_t>(steps));
    for (std::int64_t step = 1; step <= steps; ++step)
      ASSERT_EQ(bytes_of(*frames[static_cast<std::size_t>(step - 1)]), bytes_of(*test_frame(step))) << step;
  }

  ScratchFolder scratch_;
  std::string folder_ = scratch_ / "run";
};

TEST_F(RunReaderTest, EverythingWrittenIsReadToTheBit) {
  const auto reader = opened();
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->folder(), folder_);
  EXPECT_EQ(reader->facts().id, test_facts().id);
  EXPECT_EQ(reader->facts().config_toml, test_facts().config_toml);
  EXPECT_EQ(reader->facts().determinism, test_facts().determinism);
  EXPECT_EQ(telemetry::run_info_bytes(reader->info()), telemetry::run_info_bytes(test_info()));
  EXPECT_FALSE(reader->being_written());
  EXPECT_EQ(reader->last_step(), kSteps);
  expect_all_frames(*reader);
  const auto commands = reader->commands();
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[1].command.key, "train.lr");
  EXPECT_EQ(commands[1].apply_step, 20);
  EXPECT_EQ(commands[1].result->text, "lr 2");
  EXPECT_FALSE(commands[2].result);
  EXPECT_EQ(reader->journal_problem(), "");
  std::vector<std::string> events;
  for (const EventRow& event : reader->events()) events.push_back(event.kind + ": " + event.text);
  EXPECT_THAT(events, ElementsAre("notice: event 30", "notice: event 60", "notice: event 90", "notice: event 120",
                                  "notice: event 150", "failure: it failed"));
  ASSERT_EQ(reader->gaps().size(), 1U);
  EXPECT_EQ(reader->gaps()[0].reason, "budget");
  ASSERT_EQ(reader->state_hashes().size(), 1U);
  EXPECT_THAT(reader->state_hashes()[0].tensors, ElementsAre(TensorHash{"buffer/b", 7}, TensorHash{"model/a", ~0ULL}));
  const auto checkpoints = reader->checkpoints();
  ASSERT_EQ(checkpoints.size(), 1U) << "only those whose file is there";
  EXPECT_EQ(checkpoints[0].kind, CheckpointKind::kAsked);
  EXPECT_EQ(content_of(reader->checkpoint_path(checkpoints[0])), "data");
  EXPECT_THAT(reader->damages(), IsEmpty());
}

TEST_F(RunReaderTest, APartOfTheStepsCanBeAskedFor) {
  const auto reader = opened();
  for (const auto& [first, last] : {std::pair{1, 1}, {64, 65}, {60, 130}, {150, 150}, {149, 900}}) {
    const auto frames = reader->frames(first, last);
    ASSERT_EQ(frames.size(), static_cast<std::size_t>(std::min<std::int64_t>(last, kSteps) - first + 1)) << first;
    EXPECT_EQ(bytes_of(*frames.front()), bytes_of(*test_frame(first)));
    EXPECT_EQ(frames.back()->step, std::min<std::int64_t>(last, kSteps));
  }
  EXPECT_THAT(reader->frames(151, 900), IsEmpty());
  EXPECT_THAT(reader->frames(10, 9), IsEmpty());
  EXPECT_THAT(reader->damages(), IsEmpty());
}

TEST_F(RunReaderTest, AFileInTheFolderOpensIt) {
  const auto reader = RunReader::open(folder_ + "/run.db");
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->last_step(), kSteps);
}

TEST_F(RunReaderTest, TheFolderStaysAsItIs) {
  const auto before = image_of(folder_);
  {
    const auto reader = opened();
    expect_all_frames(*reader);
    reader->commands();
    reader->checkpoints();
  }
  EXPECT_EQ(image_of(folder_), before);
}

/// A writer that is killed: its WAL and the index of it stay behind.
void leave_killed_run(const std::string& folder, std::int64_t steps) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto writer = begin_run(folder, steps);
    ::_exit(writer && !testing::Test::HasFailure() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_GT(fs::file_size(folder + "/run.db-wal"), 0U);
}

TEST_F(RunReaderTest, AKilledRunIsReadWithItsWalAndStaysAsItIs) {
  const std::string killed = scratch_ / "killed";
  leave_killed_run(killed, 40);
  const auto read = [&] {
    const auto before = image_of(killed);
    {
      const auto reader = RunReader::open(killed);
      ASSERT_TRUE(reader) << format(reader.error());
      EXPECT_FALSE((*reader)->being_written());
      expect_all_frames(**reader, 40);
      EXPECT_EQ((*reader)->commands().size(), 3U);
      EXPECT_THAT((*reader)->damages(), IsEmpty());
    }
    EXPECT_EQ(image_of(killed), before);
  };
  read();
  fs::remove(killed + "/run.db-shm");  // as after a copy to another machine
  read();
}

/// As somebody who may read the folder and not write to it; root may write anywhere.
void expect_readable_for_others(const std::string& scratch, const std::string& folder, std::int64_t steps) {
  ASSERT_EQ(::chmod(scratch.c_str(), 0755), 0);
  const auto before = image_of(folder);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
    ::chmod(folder.c_str(), 0555);
    const auto reader = RunReader::open(folder);
    if (!reader) std::fputs(format(reader.error()).c_str(), stderr);
    ::_exit(reader && (*reader)->frames(1, 1000).size() == static_cast<std::size_t>(steps) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::chmod(folder.c_str(), 0755);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(image_of(folder), before);
}

TEST_F(RunReaderTest, AFolderThatCannotBeWrittenIsRead) {
  expect_readable_for_others(scratch_.path(), folder_, kSteps);
  const std::string killed = scratch_ / "killed";
  leave_killed_run(killed, 40);
  expect_readable_for_others(scratch_.path(), killed, 40);
  fs::remove(killed + "/run.db-shm");
  expect_readable_for_others(scratch_.path(), killed, 40);
}

TEST_F(RunReaderTest, ARunThatIsBeingWrittenIsReadAsItGrows) {
  const std::string live = scratch_ / "live";
  auto writer = begin_run(live, 40);
  const auto reader = RunReader::open(live);
  ASSERT_TRUE(reader) << format(reader.error());
  EXPECT_TRUE((*reader)->being_written());
  expect_all_frames(**reader, 40);
  ASSERT_TRUE(writer->commit(test_batch(41, 50)));
  EXPECT_EQ((*reader)->last_step(), 50);
  expect_all_frames(**reader, 50);
  writer.reset();
  EXPECT_FALSE((*reader)->being_written());
  expect_all_frames(**reader, 50);
  EXPECT_FALSE(fs::exists(live + "/run.db-wal")) << "the reader held the writer's WAL";
  auto again = RunWriter::reopen(live);
  ASSERT_TRUE(again) << format(again.error());
  ASSERT_TRUE((*again)->commit(test_batch(51, 60)));
  EXPECT_TRUE((*reader)->being_written());
  expect_all_frames(**reader, 60);
  EXPECT_THAT((*reader)->damages(), IsEmpty());
}

TEST_F(RunReaderTest, LaterFilesGoOnWhereTheFirstEnds) {
  // As after a failed sync: the second file begins with what may or may not have reached the first.
  const std::string other = scratch_ / "other";
  write_run(other, 170);
  fs::copy_file(other + "/run.db", folder_ + "/run.2.db");
  edit(folder_ + "/run.2.db",
       "DELETE FROM chunk WHERE last_step < 129; UPDATE event SET text = 'later' WHERE id = 1;"
       "UPDATE command SET done = NULL, text = NULL WHERE number = 1");
  const auto reader = opened();
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->last_step(), 170);
  EXPECT_EQ(reader->frames(1, 1000).size(), 170U);
  EXPECT_EQ(reader->events().front().text, "later");
  EXPECT_EQ(reader->commands().front().result->text, "lr 1") << "an answer in the first file counts";
  EXPECT_THAT(reader->damages(), IsEmpty());
  fs::remove(folder_ + "/run.db");
  const auto rest = opened();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->frames(1, 1000).back()->step, 170);
  EXPECT_THAT(rest->damages(), testing::Contains("run.db is not there; what later files hold is shown"));
}

TEST_F(RunReaderTest, WhatIsNoRunGetsASentence) {
  EXPECT_EQ(refusal(scratch_ / "none"), "there is no such folder | open the folder of a run");
  fs::create_directory(scratch_ / "empty");
  EXPECT_EQ(refusal(scratch_ / "empty"), "is no run: there is no run.db in it | open the folder of a run");
  fill(scratch_ / "text.txt", "text");
  EXPECT_EQ(refusal(scratch_ / "text.txt"), "is no run | open a run's folder, or the run.db in it");
  fs::remove(folder_ + "/run.db");
  EXPECT_EQ(refusal(),
            "is a run without its file run.db: it was copied in part, or ended before it was recorded | copy the whole "
            "folder again; it can be neither continued nor forked, but its configuration (config.toml) can be opened "
            "as a new run, and its 1 checkpoint can be "
            "read as safetensors files");
  const std::string rest =
      " | it can be neither continued nor forked, but its configuration (config.toml) can be opened as a new run, and "
      "its "
      "1 checkpoint can be read as safetensors files";
  fill(folder_ + "/run.db", "");
  EXPECT_EQ(refusal(), "is empty" + rest);
  fill(folder_ + "/run.db", std::string(5000, 'x'));
  EXPECT_EQ(refusal(), "is no SQLite file, or its beginning is damaged" + rest);
  fs::remove(folder_ + "/run.db");
  edit_run("CREATE TABLE t(x)");
  EXPECT_EQ(refusal(), "is a SQLite file, but no run of MoEScope | open the folder of a run");
  fs::remove(folder_ + "/run.db");
  ASSERT_EQ(::mkfifo((folder_ + "/run.db").c_str(), 0644), 0);
  EXPECT_EQ(refusal(), "is no plain file, or what stands beside it is none");
}

TEST_F(RunReaderTest, AnotherVersionIsNamed) {
  edit_run("PRAGMA user_version = 7");
  EXPECT_EQ(refusal(),
            "was written by a newer MoEScope: it has format 7, and this one reads up to format 1 | open it with the "
            "newer MoEScope");
  edit_run("PRAGMA user_version = 0");
  EXPECT_THAT(refusal(), StartsWith("says it has format 0, which no MoEScope wrote"));
}

TEST_F(RunReaderTest, ASchemaThatIsNotOursIsRefused) {
  for (const std::string hostile :
       {"CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON gap BEGIN SELECT 1; END",
        "CREATE INDEX i ON gap(stream)", "CREATE TABLE more(x)", "CREATE VIRTUAL TABLE f USING fts5(x)",
        "ALTER TABLE gap ADD COLUMN more INTEGER"}) {
    fs::copy_file(folder_ + "/run.db", scratch_ / "kept", fs::copy_options::overwrite_existing);
    edit_run(hostile);
    EXPECT_THAT(refusal(), testing::AllOf(StartsWith("holds what no run file holds ("),
                                          HasSubstr("made or changed by another program, or is damaged")))
        << hostile;
    fs::copy_file(scratch_ / "kept", folder_ + "/run.db", fs::copy_options::overwrite_existing);
  }
  edit_run("DROP TABLE gap");
  EXPECT_THAT(refusal(), StartsWith("lacks a part that every run file has, so it is damaged"));
}

TEST_F(RunReaderTest, ADamagedChunkLosesOnlyItself) {
  edit_run("UPDATE chunk SET data = zeroblob(length(data)) WHERE stream = 'step' AND first_step = 65");
  const auto reader = opened();
  ASSERT_TRUE(reader);
  const auto frames = reader->frames(1, kSteps);
  std::vector<std::int64_t> bare;
  for (const auto& frame : frames) {
    if (!frame->losses.empty()) continue;
    bare.push_back(frame->step);
    EXPECT_EQ(telemetry::probe_bytes(*frame->probe), telemetry::probe_bytes(*test_frame(frame->step)->probe));
  }
  EXPECT_THAT(bare, ElementsAre(70, 80, 90, 100, 110, 120)) << "probes of lost steps are still there";
  EXPECT_EQ(std::count_if(frames.begin(), frames.end(), [](const auto& f) { return !f->losses.empty(); }), 86);
  EXPECT_THAT(reader->damages(),
              testing::Contains("run.db: losses and loads of steps 65 to 128 cannot be read (its checksum differs) and "
                                "are left out"));
}

TEST_F(RunReaderTest, ChunksThatLieAboutThemselvesAreLeftOut) {
  const auto damages_after = [&](const std::string& sql) {
    edit_run(sql);
    const auto reader = opened();
    reader->frames(1, 64);
    std::string all;
    for (const std::string& one : reader->damages()) all += one + '\n';
    return all;
  };
  const std::string one = " WHERE stream = 'step' AND first_step = 1";
  EXPECT_THAT(damages_after("UPDATE chunk SET n = 63" + one), HasSubstr("it holds 64 values, not 63"));
  EXPECT_THAT(damages_after("UPDATE chunk SET n = -1" + one), HasSubstr("its size is not that of a chunk"));
  EXPECT_THAT(damages_after("UPDATE chunk SET n = 64, raw_bytes = raw_bytes + 1" + one),
              HasSubstr("its size is not that of what was packed"));
  EXPECT_THAT(damages_after("UPDATE chunk SET raw_bytes = 40000000" + one),
              HasSubstr("its size is not that of a chunk"));
  EXPECT_THAT(damages_after("UPDATE chunk SET raw_bytes = 9223372036854775807" + one),
              HasSubstr("more than can be read at once"));
}

// What the views index by must be true before they see it.
TEST_F(RunReaderTest, ValuesThatDoNotFitTheRunAreLeftOut) {
  const std::string other = scratch_ / "other";
  fs::create_directories(other);
  telemetry::RunInfo small = test_info();
  small.num_experts = 3;
  small.probe.pop_back();
  {
    auto writer = RunWriter::create(other, test_facts());
    ASSERT_TRUE(writer && (*writer)->set_run_info(small) && (*writer)->commit(test_batch(1, 20)));
  }
  const auto reader = RunReader::open(other);
  ASSERT_TRUE(reader);
  EXPECT_THAT((*reader)->frames(1, 20), testing::SizeIs(2)) << "only the expert tokens at 20 and the spaces fit";
  EXPECT_THAT((*reader)->damages(),
              testing::Contains("run.db: losses and loads of steps 1 to 20 cannot be read (a value of it does not fit "
                                "the run: a layer has the loads of 4 experts) and are left out"));
}

TEST_F(RunReaderTest, WithoutItsDescriptionLossesAndLoadsAreLeft) {
  edit_run("UPDATE meta SET value = x'00' WHERE key = 'run_info'");
  const auto reader = opened();
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->info().num_layers, kTestLayers);
  EXPECT_EQ(reader->info().num_experts, kTestExperts);
  EXPECT_EQ(reader->info().name, "test");
  const auto frames = reader->frames(1, kSteps);
  ASSERT_EQ(frames.size(), static_cast<std::size_t>(kSteps));
  EXPECT_EQ(frames[9]->layers[0].load_E.size(), static_cast<std::size_t>(kTestExperts));
  EXPECT_FALSE(frames[9]->probe);
  EXPECT_THAT(reader->damages(), testing::Contains(HasSubstr("so only losses and loads are shown")));
  edit_run("UPDATE meta SET value = x'00' WHERE key = 'facts'");
  EXPECT_THAT(refusal(), StartsWith("its description is damaged: "));
}

TEST_F(RunReaderTest, AChangedJournalIsNoticed) {
  const auto problem_after = [&](const std::string& sql) {
    fs::copy_file(folder_ + "/run.db", scratch_ / "kept", fs::copy_options::overwrite_existing);
    edit_run(sql);
    const std::string problem = opened()->journal_problem();
    fs::copy_file(scratch_ / "kept", folder_ + "/run.db", fs::copy_options::overwrite_existing);
    return problem;
  };
  EXPECT_EQ(problem_after("UPDATE command SET json = replace(json, '0.002', '0.003') WHERE number = 2"),
            "the journal was changed or is damaged at command 2");
  EXPECT_EQ(problem_after("UPDATE command SET apply_step = 11 WHERE number = 1"),
            "the journal was changed or is damaged at command 1");
  EXPECT_EQ(problem_after("DELETE FROM command WHERE number = 2"), "command 2 is missing in the journal");
  EXPECT_EQ(problem_after("UPDATE command SET json = '{' WHERE number = 2"), "command 2 of the journal cannot be read");
  EXPECT_EQ(problem_after("UPDATE command SET json = '{' WHERE number = 3"), "command 3 of the journal cannot be read");
  EXPECT_EQ(problem_after("DELETE FROM command WHERE number = 3"),
            "the journal lacks command 3, which was there at step 150");
  EXPECT_EQ(problem_after("UPDATE state_hash SET journal_hash = 'x'"),
            "command 3 is not the one that was there at step 150");
  EXPECT_EQ(opened()->journal_problem(), "");
}

TEST_F(RunReaderTest, ACheckpointOutsideTheFolderIsNone) {
  fill(folder_ + "/x.safetensors", "secret");
  edit_run("UPDATE checkpoint SET file = '../x.safetensors' WHERE kind = 'asked'");
  const auto reader = opened();
  EXPECT_THAT(reader->checkpoints(), IsEmpty());
  EXPECT_THAT(reader->damages(),
              ElementsAre("run.db, its list of checkpoints: '../x.safetensors' is no name of a checkpoint"));
}

}  // namespace
}  // namespace moescope::record
