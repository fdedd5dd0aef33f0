// Recorded runs that are damaged, replaced by others or moved, and what is asked of them while they are read.
#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>

#include "tests/app/desktop/fake_record.h"
#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

constexpr const char* kOtherId = "fedcba9876543210";

class RecordTrouble : public WindowTest {
 protected:
  void SetUp() override {
    WindowTest::SetUp();
    notices_ = std::make_unique<QSignalSpy>(&session(), &app::Session::noticed);
  }

  std::string folder(const char* name = "recorded") { return scratch_.filePath(QLatin1String(name)).toStdString(); }
  void open(const char* name = "recorded") {
    EXPECT_TRUE(window_->open(QString::fromStdString(folder(name))));
    ASSERT_TRUE(wait_for([&] { return session().viewing(); }));
  }
  /// Another run lies in the folder of the one on screen, which lies elsewhere.
  void replace(const char* other) {
    QDir dir(scratch_.path());
    ASSERT_TRUE(dir.rename("recorded", "moved"));
    ASSERT_TRUE(dir.rename(other, "recorded"));
  }
  int noticed(const char* text) const {
    int count = 0;
    for (const QList<QVariant>& one : *notices_)
      if (one.front().toString().contains(QLatin1String(text))) ++count;
    return count;
  }
  void compare_with_other() {
    write_record(folder("other"));
    session().compare_with(QString::fromStdString(folder("other")));
    ASSERT_TRUE(wait_for([&] { return window_->actions().difference->isEnabled(); }));
  }

  QTemporaryDir scratch_;
  std::unique_ptr<QSignalSpy> notices_;
};

TEST_F(RecordTrouble, AFollowedFolderThatHoldsAnotherRunNowIsOpenedAnew) {
  const GrowingRecord first(folder());
  open();
  const GrowingRecord second(folder("second"), {.steps = 30, .command_at = 20, .id = kOtherId});
  replace("second");
  ASSERT_TRUE(wait_for([&] { return session().run() && session().run()->id == kOtherId; }, 30'000));
  EXPECT_EQ(session().last_step(), 30);
  EXPECT_EQ(session().bench().history().series("task")->step.size(), 30U) << "nothing of the other run is left";
}

TEST_F(RecordTrouble, AFollowedRunThatCannotBeReadAnyMoreIsSaidOnceAndStands) {
  const GrowingRecord recorder(folder());
  open();
  ASSERT_TRUE(session().following());
  ASSERT_TRUE(QFile::remove(QString::fromStdString(folder()) + "/run.db"));
  ASSERT_TRUE(wait_for([&] { return !session().following(); }, 30'000));
  EXPECT_EQ(window_->time_strip().words(), "recorded to 120");
  QTest::qWait(2500);  // it is still locked, so it is tried again
  EXPECT_EQ(noticed("cannot be read on"), 1);
  EXPECT_TRUE(session().viewing());
}

TEST_F(RecordTrouble, OneThatNothingMayBeAddedToIsNotContinued) {
  write_record(folder());
  QFile file(QString::fromStdString(folder()) + "/run.db");
  ASSERT_TRUE(file.resize(file.size() - 8192));
  open();
  EXPECT_TRUE(wait_for([&] { return window_->banner().text().contains("the run cannot be continued"); }))
      << qPrintable(window_->banner().text());
  EXPECT_FALSE(window_->banner().continue_button().isVisible());
  EXPECT_FALSE(window_->actions().go_on->isEnabled());
}

TEST_F(RecordTrouble, ContinuingOneWhoseFolderHoldsAnotherRunNowSaysSo) {
  write_record(folder());
  open();
  write_record(folder("second"), {.steps = 30, .command_at = 20, .id = kOtherId});
  replace("second");
  window_->go_on();
  ASSERT_TRUE(wait_for([&] { return session().run() && session().run()->id == kOtherId; }));
  EXPECT_EQ(noticed("or another run. It is opened"), 1);
  EXPECT_TRUE(options_->requests.empty());
}

TEST_F(RecordTrouble, ComparingDoesNotCutContinuingShort) {
  write_record(folder());
  open();
  write_record(folder("other"));
  window_->go_on();
  session().compare_with(QString::fromStdString(folder("other")));
  EXPECT_EQ(noticed("about to go on"), 1);
  EXPECT_TRUE(wait_for([&] { return session().running(); }));
}

TEST_F(RecordTrouble, ContinuingKeepsTheDifferenceOnScreen) {
  write_record(folder());
  open();
  compare_with_other();
  press(Qt::Key_D);
  ASSERT_EQ(session().selection().against, "other");
  window_->go_on();
  ASSERT_TRUE(wait_for([&] { return session().running(); }));
  EXPECT_EQ(session().selection().against, "other");
}

TEST_F(RecordTrouble, AForkIsOpenedWithTheRunItLeftBehindIt) {
  write_record(folder("parent"), {.id = kOtherId});
  write_record(folder("fork"), {.parent_folder = folder("parent"), .parent_id = kOtherId, .parent_step = 50});
  open("fork");
  ASSERT_TRUE(wait_for([&] { return session().bench().ghosts().size() == 1; }));
  EXPECT_EQ(session().bench().ghosts()[0].name, "parent");
  EXPECT_TRUE(session().bench().ghosts()[0].same_experts);
  EXPECT_TRUE(wait_for([&] { return window_->windowTitle() == "fork · fork of parent at 50 · MoEScope"; }))
      << qPrintable(window_->windowTitle());
}

TEST_F(RecordTrouble, AParentThatWasMovedWithItsForkIsFound) {
  write_record(folder("parent"), {.id = kOtherId});
  write_record(folder("fork"), {.parent_folder = "/gone/parent", .parent_id = kOtherId, .parent_step = 50});
  open("fork");
  EXPECT_TRUE(wait_for([&] { return session().bench().ghosts().size() == 1; }));
}

TEST_F(RecordTrouble, AnotherRunInTheParentsPlaceIsNotTakenForIt) {
  write_record(folder("parent"), {.id = "00000000000000aa"});
  write_record(folder("fork"), {.parent_folder = folder("parent"), .parent_id = kOtherId, .parent_step = 50});
  open("fork");
  ASSERT_TRUE(wait_for([&] { return session().settled(); }));
  EXPECT_TRUE(session().bench().ghosts().empty());
}

}  // namespace
}  // namespace moescope::test
