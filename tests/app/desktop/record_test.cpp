// A recorded run in the window: opened, looked at at any step, gone on with, forked, compared, exported.
#include <QDir>
#include <QFile>
#include <QMenu>
#include <QMessageBox>
#include <QTemporaryDir>

#include "tests/app/desktop/fake_record.h"
#include "tests/app/desktop/window_fixture.h"
#include "views/scene/scene.h"

namespace moescope::test {
namespace {

class Record : public WindowTest {
 protected:
  QString folder(const char* name) { return scratch_.filePath(QString::fromLatin1(name)); }
  /// Writes a run and opens it.
  QString open(const RecordShape& shape = {}, const char* name = "recorded") {
    const QString path = folder(name);
    write_record(path.toStdString(), shape);
    EXPECT_TRUE(window_->open(path));
    EXPECT_TRUE(wait_for([&] { return session().viewing(); }));
    return path;
  }
  app::TimeTrack& track() { return window_->time_strip().track(); }
  QPushButton& strip(const QAction* action) { return *window_->time_strip().button(action); }
  void click_track(std::int64_t step) {
    QTest::mouseClick(&track(), Qt::LeftButton, Qt::NoModifier,
                      QPoint(qRound(track().x_of(step)), track().height() / 2));
  }
  const train::RunRequest& started() const { return options_->requests.back(); }
  QAction* journal_action(int row, const QString& text) {
    QMenu* menu = window_->lab().journal().make_menu(row);
    for (QAction* action : menu->actions())
      if (action->text() == text) return action;
    return nullptr;
  }
  std::string summary(const char* view) { return window_->lab().canvas(view)->view().scene().summary; }

  QTemporaryDir scratch_;
};

TEST_F(Record, IsShownInEveryViewWithItsJournal) {
  const QString path = open();
  EXPECT_FALSE(window_->on_welcome_page());
  EXPECT_FALSE(session().bench().active());
  ASSERT_NE(session().frame(), nullptr);
  EXPECT_EQ(session().frame()->step, 120);
  EXPECT_EQ(session().run()->folder, path.toStdString());
  EXPECT_TRUE(wait_for([&] { return window_->status_line().left_text().contains("recorded"); }));
  for (app::CanvasWidget* canvas : window_->lab().canvases()) {
    window_->lab().raise_view(canvas->objectName());
    EXPECT_TRUE(wait_for([&] { return canvas->shown() && canvas->frames_drawn() > 0; }))
        << qPrintable(canvas->objectName());
  }
  EXPECT_NE(summary("loss").find("Loss at step 120"), std::string::npos) << summary("loss");
  const auto& journal = session().bench().journal();
  ASSERT_EQ(journal.size(), 3U);
  EXPECT_EQ(journal[0].what, "set train.lr 0.001");
  EXPECT_EQ(journal[1].number, 2);
  EXPECT_EQ(journal[2].who, "schedule");
  EXPECT_EQ(std::get<double>(session().bench().live_values().at("train.lr")), 0.001);
}

TEST_F(Record, OneThatCannotBeReadIsRefusedInAMessageAndTheRunOnScreenGoesOn) {
  run();
  const QString path = folder("garbage");
  QDir().mkpath(path);
  QFile file(path + "/run.db");
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write(QByteArray(8192, 'x'));
  file.close();
  session().open_run(path);
  ASSERT_TRUE(wait_for([&] { return window_->findChild<QMessageBox*>() != nullptr; }));
  EXPECT_FALSE(window_->findChild<QMessageBox*>()->text().isEmpty());
  EXPECT_TRUE(session().running());
  EXPECT_FALSE(session().viewing());
}

TEST_F(Record, OpeningOneAsksBeforeARunIsStopped) {
  write_record(folder("recorded").toStdString());
  run();
  EXPECT_TRUE(window_->open(folder("recorded")));
  auto* question = window_->findChild<QMessageBox*>("unfinished");
  ASSERT_NE(question, nullptr);
  for (QAbstractButton* button : question->buttons())
    if (button->text() == "Stop and open this one") click(*button);
  EXPECT_TRUE(wait_for([&] { return session().viewing() && session().frame()->step == 120; }));
}

TEST_F(Record, ReadingCanBeCancelled) {
  write_record(folder("recorded").toStdString());
  session().open_run(folder("recorded"));
  ASSERT_NE(session().loading(), nullptr);
  session().cancel_loading();
  EXPECT_EQ(session().loading(), nullptr);
  QTest::qWait(150);
  EXPECT_FALSE(session().viewing());
}

TEST_F(Record, TheTrackMovesTheCursorOfAllViews) {
  open();
  click_track(60);
  ASSERT_TRUE(session().selection().step.has_value());
  EXPECT_NEAR(static_cast<double>(*session().selection().step), 60, 1);
  EXPECT_TRUE(window_->time_strip().words().startsWith("viewing ")) << qPrintable(window_->time_strip().words());
  EXPECT_TRUE(window_->time_strip().words().endsWith(" of 120"));
  const std::int64_t here = *session().selection().step;
  QTest::keyClick(&track(), Qt::Key_Right);
  EXPECT_EQ(session().selection().step, here + 1);
  QTest::keyClick(&track(), Qt::Key_Left);
  EXPECT_EQ(session().selection().step, here);
  QTest::keyClick(&track(), Qt::Key_Home);
  EXPECT_EQ(session().selection().step, 0);
  press(Qt::Key_End);
  EXPECT_FALSE(session().selection().step.has_value());
  press(Qt::Key_Comma);
  EXPECT_EQ(session().selection().step, 119);
  press(Qt::Key_Period);
  EXPECT_FALSE(session().selection().step.has_value()) << "the newest step is followed again";
}

TEST_F(Record, DraggingTheHeadFollowsThePointer) {
  open();
  const auto at = [&](std::int64_t step) { return QPoint(qRound(track().x_of(step)), track().height() / 2); };
  QTest::mousePress(&track(), Qt::LeftButton, Qt::NoModifier, at(100));
  QTest::mouseMove(&track(), at(30));
  EXPECT_TRUE(wait_for([&] { return session().shown_step() <= 31; }));
  QTest::mouseRelease(&track(), Qt::LeftButton, Qt::NoModifier, at(30));
  EXPECT_NEAR(static_cast<double>(session().shown_step()), 30, 1);
}

TEST_F(Record, MarksAndCheckpointsAreToldWhereThePointerIs) {
  open();
  EXPECT_EQ(track().told_at(track().x_of(60)), "switched to stage 2 at step 60 · by schedule");
  EXPECT_EQ(track().told_at(track().x_of(50)), "checkpoint at step 50");
  EXPECT_EQ(track().told_at(track().x_of(90)), "step 90");
}

TEST_F(Record, TheSphereFollowsTheCursor) {
  open();
  window_->lab().raise_view("sphere");
  session().look_at(35);
  app::Dock* dock = window_->lab().dock("sphere");
  EXPECT_TRUE(wait_for([&] { return dock->subtitle().contains("tokens at step 30"); })) << qPrintable(dock->subtitle());
  session().follow_live();
  EXPECT_TRUE(wait_for([&] { return dock->subtitle().contains("tokens at step 120"); }));
}

TEST_F(Record, PlayMovesThroughTheRecordAndStopsAtItsEnd) {
  open();
  click(window_->time_strip().speed_button());
  click(window_->time_strip().speed_button());
  EXPECT_EQ(window_->time_strip().speed_button().text(), "16×");
  click(window_->time_strip().play_button());
  EXPECT_TRUE(window_->time_strip().playing());
  EXPECT_TRUE(wait_for([&] { return session().selection().step.value_or(0) > 10; }));
  EXPECT_TRUE(wait_for([&] { return !window_->time_strip().playing(); }));
  EXPECT_EQ(session().shown_step(), 120);
}

TEST_F(Record, ALiveRunIsLookedAtWhileItTrains) {
  options_->jump_to = 80;
  run();
  ASSERT_TRUE(wait_for([&] { return session().frame()->step >= 80 && session().running(); }));
  click_track(40);
  EXPECT_TRUE(wait_for([&] { return window_->time_strip().words().contains(", training at "); }))
      << qPrintable(window_->time_strip().words());
  const std::int64_t before = session().status().step;
  EXPECT_TRUE(wait_for([&] { return session().status().step > before; })) << "training is not touched";
  click(strip(window_->actions().follow_live));
  EXPECT_FALSE(session().selection().step.has_value());
}

TEST_F(Record, ContinueGoesOnInItsFolderBehindWhatIsShown) {
  const QString path = open();
  EXPECT_TRUE(wait_for([&] { return window_->banner().text() == "This run stopped at step 120 of 400."; }));
  EXPECT_EQ(window_->banner().continue_button().text(), "Continue from step 120");
  click(window_->banner().continue_button());
  ASSERT_TRUE(wait_for([&] { return session().running() && session().frame()->step > 125; }));
  ASSERT_TRUE(started().origin.has_value());
  EXPECT_EQ(started().origin->use, train::Origin::Use::kContinue);
  EXPECT_EQ(started().origin->step, train::Origin::kNewest);
  EXPECT_EQ(started().folder, path.toStdString());
  EXPECT_EQ(started().config.train.steps, 400);
  EXPECT_NE(started().ring, nullptr);
  const telemetry::ScalarSeries* task = session().bench().history().series("task");
  EXPECT_EQ(task->step.front(), 1) << "the recorded part stays";
  EXPECT_TRUE(session().bench().ghosts().empty());
  EXPECT_GE(session().bench().journal().size(), 3U);
  EXPECT_TRUE(wait_for([&] { return window_->status_line().left_text().contains("bit-exact"); }));
  EXPECT_FALSE(window_->status_line().left_text().contains("not bit-exact"));
}

TEST_F(Record, AContinuedRunIsNeverTakenAwayAsUntouched) {
  const QString path = open();
  options_->prepare = std::chrono::milliseconds(2000);
  window_->go_on();
  ASSERT_TRUE(wait_for([&] { return session().bench().active(); }));
  window_->close_when_stopped();
  ASSERT_TRUE(wait_for([&] { return !session().bench().active(); }));
  QTest::qWait(100);
  EXPECT_TRUE(QFile::exists(path + "/run.db"));
  EXPECT_TRUE(QFile::exists(path + "/checkpoints/step-50.safetensors"));
}

TEST_F(Record, ARunThatIsNotExactSaysWhy) {
  options_->inexact = "it was recorded with 4 threads, here are 2";
  open();
  window_->go_on();
  EXPECT_TRUE(wait_for([&] {
    return window_->status_line().left_text().contains("not bit-exact</b>: it was recorded");
  })) << qPrintable(window_->status_line().left_text());
}

TEST_F(Record, ForkHereWaitsInANewFolderWithItsParentAsGhost) {
  const QString path = open();
  session().look_at(80);
  click(strip(window_->actions().fork));
  ASSERT_TRUE(wait_for([&] { return session().paused() && session().run() && session().run()->parent_step == 80; }));
  EXPECT_EQ(started().origin->use, train::Origin::Use::kFork);
  EXPECT_EQ(started().origin->folder, path.toStdString());
  EXPECT_EQ(started().origin->step, 80);
  EXPECT_EQ(started().origin->commands, train::Origin::kNewest);
  EXPECT_NE(started().folder, path.toStdString());
  ASSERT_EQ(session().bench().ghosts().size(), 1U);
  EXPECT_EQ(session().bench().ghosts()[0].name, "recorded");
  EXPECT_TRUE(session().bench().ghosts()[0].same_experts);
  EXPECT_EQ(session().bench().journal().size(), 3U) << "what it takes over of the parent's journal";
  step(20);
  EXPECT_EQ(session().bench().history().series("task")->step.front(), 81);
  EXPECT_EQ(session().first_step(), 80);
  window_->lab().canvas("loss")->touch();
  EXPECT_TRUE(wait_for([&] {
    for (const views::Shape& shape : window_->lab().canvas("loss")->view().scene().shapes)
      if (const auto* text = std::get_if<views::Text>(&shape); text && text->text == "recorded") return true;
    return false;
  })) << "the parent's curve ends with its name";
}

TEST_F(Record, GoingBackLeavesALiveRunWithoutAQuestion) {
  options_->jump_to = 80;
  run();
  ASSERT_TRUE(wait_for([&] { return session().running() && session().frame()->step >= 80; }));
  const std::string left = session().run()->folder;
  EXPECT_FALSE(strip(window_->actions().restore).isVisible()) << "there is nowhere to go back to yet";
  session().look_at(50);
  ASSERT_TRUE(strip(window_->actions().restore).isVisible());
  click(strip(window_->actions().restore));
  EXPECT_EQ(window_->findChild<QMessageBox*>("unfinished"), nullptr);
  ASSERT_TRUE(wait_for([&] { return session().running() && session().run() && session().run()->parent_step == 50; }));
  EXPECT_EQ(started().origin->folder, left);
  EXPECT_FALSE(started().start_paused) << "it runs on as the one before did";
  EXPECT_EQ(session().bench().ghosts().size(), 1U);
}

TEST_F(Record, AJournalRowGoesBackToBeforeItsCommand) {
  run();
  session().set_value("train.lr", 0.002);
  ASSERT_TRUE(answered("set train.lr 0.002"));
  session().toggle_router(1);
  ASSERT_TRUE(answered("freeze router L2"));
  const std::int64_t at = newest().step;
  QAction* back = journal_action(0, "Go back to before this");
  ASSERT_NE(back, nullptr);
  back->trigger();
  ASSERT_TRUE(wait_for([&] { return session().run() && session().run()->parent_step == at; }));
  EXPECT_EQ(started().origin->commands, 1) << "the first command stays, this one does not";
  EXPECT_EQ(started().origin->step, at);
  ASSERT_EQ(session().bench().journal().size(), 1U);
  EXPECT_EQ(session().bench().journal()[0].what, "set train.lr 0.002");
  EXPECT_EQ(std::get<double>(session().bench().live_values().at("train.lr")), 0.002);
  // The row that was taken over still knows whose journal it is in.
  const std::string parent = session().bench().ghosts()[0].history->run()->folder;
  journal_action(0, "Go back to before this")->trigger();
  EXPECT_TRUE(wait_for([&] { return options_->requests.size() == 3; }));
  EXPECT_EQ(started().origin->folder, parent);
  EXPECT_EQ(started().origin->commands, 0);
}

TEST_F(Record, ALookAtAStepFromTheJournal) {
  open();
  QAction* look = journal_action(0, "Look at step 60");
  ASSERT_NE(look, nullptr);
  look->trigger();
  EXPECT_EQ(session().selection().step, 60);
}

TEST_F(Record, AFailedRunSaysWhyAndOffersToGoOn) {
  open({.failure = "in step 121, forward: no memory"});
  EXPECT_TRUE(wait_for([&] { return window_->banner().text().contains("failed at step 120: in step 121, forward"); }));
  EXPECT_TRUE(window_->banner().continue_button().isVisible());
}

TEST_F(Record, AFailureWhileItRunsOffersToGoOnFromThere) {
  options_->fail_at = 30;
  run();
  ASSERT_TRUE(wait_for([&] { return window_->banner().continue_button().isVisible(); }));
  options_->fail_at = -1;
  EXPECT_EQ(window_->banner().continue_button().text(), "Continue from step 30");
  click(window_->banner().continue_button());
  ASSERT_TRUE(wait_for([&] { return session().running(); }));
  EXPECT_EQ(started().origin->use, train::Origin::Use::kContinue);
}

TEST_F(Record, AFinishedOneOffersNothingToGoOnWith) {
  open({.steps = 100, .total = 100});
  QTest::qWait(300);
  EXPECT_FALSE(window_->banner().isVisible());
  EXPECT_FALSE(window_->actions().go_on->isEnabled());
  EXPECT_TRUE(window_->actions().fork->isEnabled());
}

TEST_F(Record, AnotherRunsCurvesStandBehindAndGoAgain) {
  open();
  write_record(folder("other").toStdString(), {.steps = 200, .command_at = 30});
  session().compare_with(folder("other"));
  ASSERT_TRUE(wait_for([&] { return session().bench().ghosts().size() == 1; }));
  EXPECT_EQ(session().bench().ghosts()[0].name, "other");
  EXPECT_TRUE(session().viewing());
  EXPECT_TRUE(window_->actions().clear_ghosts->isEnabled());
  window_->actions().clear_ghosts->trigger();
  EXPECT_TRUE(session().bench().ghosts().empty());
}

TEST_F(Record, TheDifferenceToAComparableRunIsOneSettingOfAllViews) {
  open();
  QAction* difference = window_->actions().difference;
  EXPECT_FALSE(difference->isEnabled());
  for (const char* name : {"one", "two"}) {
    write_record(folder(name).toStdString(), {.steps = 200});
    session().compare_with(folder(name));
    ASSERT_TRUE(wait_for([&] { return session().loading() == nullptr; }));
  }
  ASSERT_TRUE(wait_for([&] { return difference->isEnabled(); })) << "their run has the same id";
  EXPECT_EQ(difference->text(), "Difference to one");
  press(Qt::Key_D);
  EXPECT_EQ(session().selection().against, "one");
  window_->lab().raise_view("load");
  EXPECT_TRUE(wait_for([&] { return summary("load").find("difference to one") != std::string::npos; }));
  EXPECT_TRUE(wait_for([&] { return window_->lab().dock("load")->subtitle().contains("difference to one"); }));
  press(Qt::Key_D);
  EXPECT_EQ(session().selection().against, "two");
  EXPECT_EQ(difference->text(), "No difference");
  press(Qt::Key_D);
  EXPECT_FALSE(session().selection().against);
  press(Qt::Key_D);
  window_->actions().clear_ghosts->trigger();
  EXPECT_FALSE(session().selection().against) << "it is not on again when that run comes back";
  EXPECT_FALSE(difference->isEnabled());
}

TEST_F(Record, AnotherRunIsShownAsItIs) {
  open();
  write_record(folder("other").toStdString());
  session().compare_with(folder("other"));
  ASSERT_TRUE(wait_for([&] { return window_->actions().difference->isEnabled(); }));
  press(Qt::Key_D);
  ASSERT_TRUE(session().selection().against);
  window_->fork_here();
  ASSERT_TRUE(wait_for([&] { return session().paused(); }));
  EXPECT_FALSE(session().selection().against);
}

TEST_F(Record, StandsAmongTheRecentFiles) {
  const QString path = open();
  window_->show_welcome();
  bool found = false;
  for (const QPushButton* link : window_->welcome().findChildren<QPushButton*>())
    found = found || (link->text() == "recorded · run" && link->toolTip() == path);
  EXPECT_TRUE(found);
}

TEST_F(Record, AViewIsSavedAsPictureAndAsDrawing) {
  open();
  app::CanvasWidget* loss = window_->lab().canvas("loss");
  loss->setFocus();
  ASSERT_TRUE(wait_for([&] { return loss->frames_drawn() > 2; }));
  EXPECT_EQ(window_->lab().focused_canvas(), loss);
  EXPECT_EQ(window_->export_picture(*loss, folder("loss.png")), QString());
  EXPECT_GT(distinct_colors(QImage(folder("loss.png"))), 5);
  EXPECT_EQ(window_->export_picture(*loss, folder("loss.svg")), QString());
  QFile svg(folder("loss.svg"));
  ASSERT_TRUE(svg.open(QIODevice::ReadOnly));
  EXPECT_TRUE(svg.readAll().contains("bits per token"));
  EXPECT_FALSE(window_->export_picture(*loss, folder("loss.bmp")).isEmpty());
  EXPECT_FALSE(window_->export_picture(*loss, folder("no/such/loss.png")).isEmpty());
}

}  // namespace
}  // namespace moescope::test
