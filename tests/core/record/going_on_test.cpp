// A damaged record is not added to. What is wrong and what still leads on is told in sentences without SQLite's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>

#include "core/record/checkpoint_files.h"
#include "core/record/run_reader.h"
#include "core/record/safetensors.h"
#include "tests/core/record/recorded_run.h"

namespace moescope::record {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class GoingOn : public testing::Test {
 protected:
  GoingOn() {
    write_run(folder_, 400);
    write_checkpoint(200, CheckpointKind::kRegular);
    write_checkpoint(399, CheckpointKind::kTainted);
    write_checkpoint(300, CheckpointKind::kFinal);
  }

  void write_checkpoint(std::int64_t step, CheckpointKind kind) const {
    ASSERT_TRUE(write_safetensors(checkpoint(step, kind), {{"model/a", "F32", {2}, std::vector<std::uint8_t>(8, 1)}},
                                  {{"step", std::to_string(step)},
                                   {"commands", "3"},
                                   {"kind", checkpoint_kind_name(kind)},
                                   {"state_hash", "abc"}}));
  }
  std::string checkpoint(std::int64_t step, CheckpointKind kind) const {
    return folder_ + "/checkpoints/" + checkpoint_file(step, kind);
  }

  static constexpr std::size_t kBeginning = 12 * 8192;  ///< where every table and index has its root, and more
  void cut() const {
    ASSERT_GT(fs::file_size(file_), kBeginning);
    fs::resize_file(file_, kBeginning);
  }
  /// The heads of the pages behind.
  void garble() const {
    std::string bytes = content_of(file_);
    for (std::size_t page = kBeginning; page < bytes.size(); page += 8192)
      bytes.replace(page, 8, "\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    fill(file_, bytes);
  }
  void edit(const std::string& sql) const {
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &file), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(file);
    sqlite3_close(file);
  }

  /// What whoever goes on with the run is told; nothing in its folder changes by that.
  std::string refusal() const {
    const auto before = bytes();
    const auto writer = RunWriter::reopen(folder_);
    EXPECT_EQ(bytes(), before);
    if (writer) return "";
    auto reader = RunReader::open(folder_);
    const Status possible = (*reader)->can_go_on();
    EXPECT_EQ(format(possible.error()), format(writer.error())) << "one can know beforehand";
    const Diagnostic& why = writer.error().front();
    return fs::path(why.place.file).filename().string() + ' ' + why.message + " | " + why.hint;
  }
  std::map<std::string, std::string> bytes() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      if (entry.is_regular_file()) files[entry.path()] = content_of(entry.path());
    return files;
  }
  std::unique_ptr<RunReader> opened() const {
    auto reader = RunReader::open(folder_);
    EXPECT_TRUE(reader) << (reader ? "" : format(reader.error()));
    return reader ? std::move(*reader) : nullptr;
  }

  ScratchFolder scratch_;
  std::string folder_ = scratch_ / "run", file_ = folder_ + "/run.db";
};

constexpr const char* kWay =
    " | fork it at step 300, from the newest checkpoint that can be read, or export what can be read";

TEST_F(GoingOn, OfAWholeRunIsPossibleAlsoAfterAKill) {
  EXPECT_TRUE(opened()->can_go_on());
  EXPECT_TRUE(RunWriter::reopen(folder_));
  const std::string live = scratch_ / "live";
  auto writer = begin_run(live, 100);
  fs::remove_all(folder_);
  fs::copy(live, folder_, fs::copy_options::recursive);  // as it would lie there after a kill
  writer.reset();
  EXPECT_TRUE(opened()->can_go_on());
  EXPECT_TRUE(RunWriter::reopen(folder_));
}

TEST_F(GoingOn, OfACutFileIsRefusedBeforeAnythingIsWritten) {
  cut();
  EXPECT_THAT(refusal(), testing::MatchesRegex("run.db is cut off: it has [0-9,]+ of [0-9,]+ bytes; the run cannot be "
                                               "continued \\| fork it at step 300, from the newest checkpoint .*"));
  EXPECT_THAT(refusal(), EndsWith(kWay));
}

TEST_F(GoingOn, OfAGarbledFileIsRefusedWithoutWordsOfSqlite) {
  garble();
  const std::string sentence = "run.db is damaged: parts of it are not where they belong";
  EXPECT_EQ(refusal(), sentence + "; the run cannot be continued" + kWay);
  const auto reader = opened();
  reader->frames(1, 400);
  reader->events();
  EXPECT_THAT(reader->damages(), Contains(sentence + "; what can be read is shown"));
  for (const std::string& damage : reader->damages())
    EXPECT_THAT(damage, Not(testing::AnyOf(HasSubstr("***"), HasSubstr("\\x"), HasSubstr("Page"), HasSubstr("SQL"))));
}

TEST_F(GoingOn, WithARowThatCannotBeReadIsRefused) {
  edit("UPDATE checkpoint SET kind = 'odd' WHERE kind = 'asked'");
  EXPECT_EQ(refusal(),
            "run its record is damaged: run.db, its list of checkpoints: 'step-000000001.safetensors' is of an unknown "
            "kind; the run cannot be continued" +
                std::string(kWay));
  edit("UPDATE checkpoint SET kind = 'asked' WHERE kind = 'odd'; DELETE FROM command WHERE number = 2");
  EXPECT_EQ(refusal(),
            "run the journal is not as it was written: command 2 is missing in the journal; the run cannot be continued"
            " | none of its checkpoints can be read; export what can be read")
      << "the rows are whole, so that a file without one is none of the run's";
}

TEST_F(GoingOn, ADamagedRecordStillHasTheCheckpointsWhoseRowsAreLost) {
  EXPECT_EQ(opened()->checkpoints().size(), 1U) << "a whole record knows its checkpoints";
  cut();
  fs::copy_file(checkpoint(200, CheckpointKind::kRegular), folder_ + "/checkpoints/step-000000250.safetensors");
  const auto reader = opened();
  std::vector<std::int64_t> steps;
  for (const CheckpointRow& row : reader->checkpoints())
    if (row.file != "step-000000001.safetensors") steps.push_back(row.step);
  EXPECT_THAT(steps, ElementsAre(200, 300, 399)) << "one that says another step than its name is none";
  fs::resize_file(checkpoint(300, CheckpointKind::kFinal), 100);
  EXPECT_THAT(refusal(), HasSubstr("fork it at step 200, "));
}

TEST_F(GoingOn, LostStretchesShareOneSentence) {
  edit("UPDATE chunk SET data = zeroblob(length(data)) WHERE stream = 'step' AND first_step IN (65, 193, 257)");
  const auto reader = opened();
  reader->frames(1, 200);
  EXPECT_THAT(reader->damages(), Contains("run.db: losses and loads of steps 65 to 128 and 1 more stretch cannot be "
                                          "read (its checksum differs) and are left out"));
  reader->frames(1, 400);
  EXPECT_THAT(reader->damages(), Contains("run.db: losses and loads of steps 65 to 128 and 2 more stretches cannot be "
                                          "read (its checksum differs) and are left out"));
  EXPECT_EQ(std::count_if(reader->damages().begin(), reader->damages().end(),
                          [](const std::string& one) { return one.find("losses") != std::string::npos; }),
            1);
}

TEST_F(GoingOn, StateHashesWithDamagedTensorsShareOneSentence) {
  edit(
      "UPDATE state_hash SET tensors = x'00'; INSERT INTO state_hash SELECT 404, hash, commands, journal_hash, tensors "
      "FROM state_hash");
  const auto reader = opened();
  EXPECT_EQ(reader->state_hashes().size(), 2U);
  EXPECT_THAT(reader->damages(), ElementsAre("the tensors in the state hashes of step 400 and 1 more stretch cannot be "
                                             "told apart"));
}

TEST_F(GoingOn, AGarbledListOfTablesIsToldAsSuch) {
  edit("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET type = '', name = '' WHERE name = 'gap'");
  const auto reader = RunReader::open(folder_);
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().front().message, testing::StartsWith("is damaged: "));
  EXPECT_EQ(reader.error().front().hint,
            "it can be neither continued nor forked, but its configuration (config.toml) can be opened as a new run, "
            "and its 4 checkpoints can be read as safetensors files");
}

}  // namespace
}  // namespace moescope::record
