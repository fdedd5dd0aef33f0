// A run from the welcome page to its end, and every way it may end early.
#include <QMessageBox>
#include <QPushButton>

#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

class LifeCycle : public WindowTest {
 protected:
  QMessageBox* question() { return window_->findChild<QMessageBox*>("unfinished"); }
  QPushButton* answer(const QString& text) {
    for (QAbstractButton* button : question()->buttons())
      if (button->text() == text) return qobject_cast<QPushButton*>(button);
    return nullptr;
  }
};

TEST_F(LifeCycle, SpaceStartsThePreparedRunAndShowsThePictures) {
  window_->start(config(), {}, true);
  window_->show_welcome();
  ASSERT_TRUE(wait_for([&] { return session().paused(); }));
  EXPECT_TRUE(window_->on_welcome_page());
  press(Qt::Key_Space);
  EXPECT_TRUE(wait_for([&] { return session().running() && session().frame(); }));
  EXPECT_FALSE(window_->on_welcome_page());
}

TEST_F(LifeCycle, KeysAreShortcutsOnceTheRunHasStarted) {
  window_->start(config(), {}, true);
  window_->show_welcome();
  ASSERT_TRUE(wait_for([&] { return session().paused(); }));
  press(Qt::Key_Space);
  ASSERT_TRUE(wait_for([&] { return session().running() && session().frame(); }));
  EXPECT_EQ(window_->focusWidget(), window_->lab().dock("flow")->content());
}

TEST_F(LifeCycle, SpaceWhileTheCorpusIsPreparedStartsTheRunAfterwards) {
  options_->prepare = std::chrono::milliseconds(600);
  window_->start(config(), {}, true);
  window_->show_welcome();
  QTest::qWait(100);
  press(Qt::Key_Space);
  EXPECT_TRUE(wait_for(
      [&] { return window_->banner().isVisible() && window_->banner().text().contains("rendering manual pages"); }));
  EXPECT_TRUE(wait_for([&] { return session().running(); }));
  EXPECT_TRUE(wait_for([&] { return !window_->banner().isVisible(); }));
}

TEST_F(LifeCycle, ClosingAnUnfinishedRunAsksFirst) {
  run();
  window_->close();
  ASSERT_NE(question(), nullptr);
  EXPECT_TRUE(window_->isVisible());
  click(*answer("Keep running"));
  EXPECT_TRUE(wait_for([&] { return question() == nullptr; }));
  EXPECT_TRUE(session().running());
  window_->close();
  ASSERT_NE(question(), nullptr);
  click(*answer("Stop and close"));
  EXPECT_TRUE(wait_for([&] { return !window_->isVisible(); }));
  EXPECT_FALSE(session().bench().active());
}

TEST_F(LifeCycle, ARunThatNeverStepsIsClosedWithoutAQuestion) {
  run(true);
  window_->close();
  EXPECT_EQ(question(), nullptr);
  EXPECT_TRUE(wait_for([&] { return !window_->isVisible(); }));
}

TEST_F(LifeCycle, StartingAnotherRunAsksFirst) {
  run();
  const std::string first = session().run()->folder;
  app::RunForm* form = window_->open_form();
  form->set("name", "second");
  ASSERT_TRUE(form->start_button().isEnabled());
  click(form->start_button());
  ASSERT_TRUE(wait_for([&] { return question() != nullptr; }));
  click(*answer("Stop and start this one"));
  EXPECT_TRUE(wait_for([&] { return session().run() && session().run()->name == "second"; }));
}

TEST_F(LifeCycle, AFailureIsSaidCalmlyAndTheWindowLives) {
  options_->fail_at = 12;
  run();
  EXPECT_TRUE(wait_for([&] { return window_->banner().isVisible(); }));
  EXPECT_EQ(window_->banner().text(), "The run failed at step 12 (forward): the made-up model ran into a made-up wall");
  options_->fail_at = -1;
  run();
  EXPECT_TRUE(wait_for([&] { return session().running() && !window_->banner().isVisible(); }));
}

TEST_F(LifeCycle, TheEndIsSaidWithTheLastValidation) {
  window_->start(config("two_stage", 40), {}, false);
  EXPECT_TRUE(wait_for(
      [&] { return window_->banner().isVisible() && window_->banner().text().contains("finished at step 40"); }));
  EXPECT_TRUE(window_->banner().text().contains("bits per token")) << qPrintable(window_->banner().text());
}

TEST_F(LifeCycle, TheStatusLineTellsTheTruth) {
  run();
  EXPECT_TRUE(wait_for([&] { return window_->status_line().left_text().contains("steps/s"); }));
  EXPECT_TRUE(window_->status_line().left_text().contains("2 threads"));
  session().toggle_pause();
  EXPECT_TRUE(wait_for([&] { return window_->status_line().left_text().contains("paused"); }));
}

}  // namespace
}  // namespace moescope::test
