// What is read in a window of 1366 × 768: numbers, names and messages that are neither cut nor said twice.
#include <QLabel>
#include <QMessageBox>
#include <QTemporaryDir>

#include "tests/app/desktop/fake_record.h"
#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

using app::JournalModel;

class NarrowWindow : public WindowTest {
 protected:
  app::JournalModel& rows() { return window_->lab().journal().rows(); }
  QString shown(int row, int role = Qt::DisplayRole) {
    return rows().index(row, JournalModel::kWhat).data(role).toString();
  }
  QMessageBox& message() {
    EXPECT_TRUE(wait_for([&] { return window_->findChild<QMessageBox*>() != nullptr; }));
    return *window_->findChild<QMessageBox*>();
  }
  static bool is_whole(const app::Dock& dock) {
    return dock.findChild<QLabel*>("docksubtitle")->text() == dock.subtitle();
  }
};

TEST_F(NarrowWindow, TheJournalShowsSixDigitsAndItsTooltipAll) {
  run();
  session().set_value("moe.router.balance_coefficient", 0.002512566719800475);
  ASSERT_TRUE(answered("set moe.router.balance_coefficient 0.002512566719800475"));
  ASSERT_TRUE(wait_for([&] { return shown(0) == "balance coefficient 0.00251257"; })) << qPrintable(shown(0));
  EXPECT_TRUE(shown(0, Qt::ToolTipRole).contains("0.002512566719800475"));
}

TEST_F(NarrowWindow, AFailureIsToldInFullInTheBannerOnly) {
  options_->fail_at = 12;
  run();
  ASSERT_TRUE(wait_for([&] { return window_->banner().text().contains("made-up wall"); }));
  ASSERT_TRUE(wait_for([&] { return shown(0) == "failed in forward"; }));
  EXPECT_EQ(shown(0, JournalModel::kEffectRole), QString());
  EXPECT_TRUE(shown(0, Qt::ToolTipRole).contains("made-up wall"));
  EXPECT_FALSE(window_->status_line().left_text().contains("made-up wall"));
  EXPECT_FALSE(window_->status_line().right_text().contains("made-up wall"));
}

TEST_F(NarrowWindow, AFailureThatWasGoneOnFromIsToldInTheJournal) {
  QTemporaryDir scratch;
  write_record(scratch.filePath("recorded").toStdString(), {.failure = "in step 121, forward: a wall"});
  ASSERT_TRUE(window_->open(scratch.filePath("recorded")));
  ASSERT_TRUE(wait_for([&] { return window_->banner().text().contains("a wall"); }));
  EXPECT_EQ(shown(0), "failed");
  EXPECT_EQ(shown(0, JournalModel::kEffectRole), QString());
  window_->go_on();
  EXPECT_TRUE(wait_for([&] {
    for (int row = 0; session().running() && row < rows().rowCount(); ++row)
      if (shown(row) == "failed") return shown(row, JournalModel::kEffectRole).contains("a wall");
    return false;
  }));
}

TEST_F(NarrowWindow, HeadsOfNarrowDocksAreNotCut) {
  run();
  for (const char* id : {"controls", "journal"}) {
    const app::Dock* dock = window_->lab().dock(id);
    EXPECT_TRUE(wait_for([&] { return !dock->subtitle().isEmpty() && is_whole(*dock); }))
        << qPrintable(dock->findChild<QLabel*>("docksubtitle")->text());
  }
}

TEST_F(NarrowWindow, ALongNoticeIsShortenedAndWholeInItsTooltip) {
  run();
  const QString notice = QString("a notice that says a lot ").repeated(20);
  window_->status_line().notice(notice);
  EXPECT_TRUE(window_->status_line().right_text().endsWith("…"));
  EXPECT_EQ(window_->width(), 1366) << "a notice does not widen the window";
  const QList<QLabel*> labels = window_->status_line().findChildren<QLabel*>();
  EXPECT_TRUE(std::any_of(labels.begin(), labels.end(), [&](QLabel* one) { return one->toolTip() == notice; }));
}

TEST_F(NarrowWindow, AMessageIsASentenceAndItsRemedyStandsBelow) {
  run();
  window_->report("Open run", Diagnostics{error("there is no run here", "name the folder of a run")});
  EXPECT_EQ(message().text(), "There is no run here.");
  EXPECT_EQ(message().informativeText(), "Name the folder of a run.");
}

TEST_F(NarrowWindow, AMessageNamesItsPlaceAsAPersonSaysIt) {
  Diagnostics found;
  found.push_back({Severity::kError, {"/tmp/a/big.toml", 10, 11, "d_model = 0"}, "'d_model' is 0", {}});
  found.push_back({Severity::kError, {"/tmp/a/run.db", 0, 0, {}}, "is no SQLite file", "copy it again"});
  window_->report("Open", found);
  EXPECT_EQ(message().text(), "big.toml, line 10: 'd_model' is 0.\nrun.db is no SQLite file.");
  EXPECT_EQ(message().informativeText(), "Copy it again.\n/tmp/a/big.toml\n/tmp/a/run.db");
}

}  // namespace
}  // namespace moescope::test
