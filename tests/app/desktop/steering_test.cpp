// Buttons, keys, sliders: each becomes one command, its answer stands in the journal, its effect on screen.
#include <QAbstractItemModel>
#include <QMenu>
#include <QPushButton>

#include "app/desktop/parameter_row.h"
#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

class Steering : public WindowTest {};

TEST_F(Steering, PauseIsAnsweredAndTheButtonSaysRun) {
  run();
  click(window_->tool_bar().pause_button());
  EXPECT_TRUE(answered("pause"));
  EXPECT_TRUE(wait_for([&] { return session().paused(); }));
  EXPECT_EQ(window_->tool_bar().pause_button().text(), "Run");
}

TEST_F(Steering, SpaceRunsAndPausesWhereverTheFocusIs) {
  run(true);
  window_->lab().controls().rows().front()->slider().setFocus();
  press(Qt::Key_Space);
  EXPECT_TRUE(wait_for([&] { return session().running(); }));
  window_->lab().canvas("flow")->setFocus();
  press(Qt::Key_Space);
  EXPECT_TRUE(wait_for([&] { return session().paused(); }));
}

TEST_F(Steering, StepTrainsOneStepAndPauses) {
  run(true);
  const std::int64_t before = session().status().step;
  press(Qt::Key_Period);
  EXPECT_TRUE(answered("step"));
  EXPECT_TRUE(wait_for([&] { return session().paused() && session().status().step == before + 1; }));
}

TEST_F(Steering, StartThenPauseWithinOneStepLeavesAPausedRun) {
  run(true);
  press(Qt::Key_Space);
  QCoreApplication::processEvents();
  session().toggle_pause();  // before the answer to the first: both are resumes or a resume and a pause
  EXPECT_TRUE(wait_for([&] { return !newest().pending; }));
  if (session().running()) session().toggle_pause();
  EXPECT_TRUE(wait_for([&] { return session().paused(); }));
}

TEST_F(Steering, FreezingTheRouterOfTheChosenLayerClosesItsPadlock) {
  run();
  press(Qt::Key_2);
  ASSERT_EQ(session().selection().layer, 1);
  click(window_->tool_bar().freeze_button());
  EXPECT_TRUE(answered("freeze router L2"));
  EXPECT_TRUE(wait_for([&] { return session().router_frozen(1); }));
  EXPECT_FALSE(session().router_frozen(0));
  EXPECT_EQ(window_->tool_bar().freeze_button().text(), "Unfreeze router");
}

TEST_F(Steering, WhatIsFrozenWhilePausedShowsBeforeTheNextFrame) {
  run(true);
  press(Qt::Key_F);
  EXPECT_TRUE(answered("freeze router L1"));
  EXPECT_TRUE(wait_for([&] { return session().router_frozen(0); }));
  window_->actions().undo->trigger();
  EXPECT_TRUE(wait_for([&] { return !session().router_frozen(0); }));
}

TEST_F(Steering, TheStageStripSwitchesBothWays) {
  run();
  app::Segmented& strip = window_->tool_bar().stages();
  ASSERT_TRUE(wait_for([&] { return strip.count() == 2 && strip.current() == 0; }));
  click(*strip.button(1));
  EXPECT_TRUE(answered("switch to stage 2"));
  EXPECT_TRUE(wait_for([&] { return strip.current() == 1; }));
  click(*strip.button(0));
  EXPECT_TRUE(wait_for([&] { return strip.current() == 0; }));
}

TEST_F(Steering, NGoesToTheNextStageAndUndoGoesBack) {
  run();
  press(Qt::Key_N);
  EXPECT_TRUE(answered("switch to stage 2"));
  ASSERT_TRUE(wait_for([&] { return session().live().stage == 1 && window_->actions().undo->isEnabled(); }));
  press(Qt::Key_Z, Qt::ControlModifier);
  EXPECT_TRUE(wait_for([&] { return session().live().stage == 0; }));
}

TEST_F(Steering, ASliderSendsOneCommandWhenItIsLetGo) {
  run();
  app::ParameterRow* row = window_->lab().controls().row("moe.router.balance_coefficient");
  ASSERT_NE(row, nullptr);
  const std::size_t before = session().bench().journal().size();
  row->box().setText("0.75");
  row->box().setModified(true);
  QTest::keyClick(&row->box(), Qt::Key_Return);
  EXPECT_TRUE(answered("set moe.router.balance_coefficient 0.75"));
  EXPECT_EQ(session().bench().journal().size(), before + 1);
  EXPECT_TRUE(wait_for([&] { return row->box().text() == "0.75" && !row->box().property("pending").toBool(); }));
}

TEST_F(Steering, ARefusedValueGoesBackToTheConfirmedOne) {
  run();
  app::ParameterRow* row = window_->lab().controls().row("moe.capacity_factor");
  ASSERT_NE(row, nullptr);
  row->box().setText("2");
  row->box().setModified(true);
  QTest::keyClick(&row->box(), Qt::Key_Return);
  EXPECT_TRUE(answered("set moe.capacity_factor 2.0"));
  EXPECT_TRUE(newest().refused);
  EXPECT_TRUE(wait_for([&] { return row->box().text() == "0"; }));
  const QModelIndex top = window_->lab().journal().rows().index(0, app::JournalModel::kWhat);
  EXPECT_EQ(top.data(app::JournalModel::kEffectRole).toString(), "refused: this method has no capacity");
}

TEST_F(Steering, AYesOrNoParameterIsACheckBox) {
  run();
  app::ParameterRow* row = window_->lab().controls().row("moe.router.discrete_evaluation");
  ASSERT_NE(row, nullptr);
  ASSERT_NE(row->check(), nullptr);
  EXPECT_FALSE(row->check()->isChecked());
  QTest::mouseClick(row->check(), Qt::LeftButton, Qt::NoModifier, QPoint(7, row->check()->height() / 2));
  EXPECT_TRUE(answered("set moe.router.discrete_evaluation true"));
  EXPECT_TRUE(wait_for([&] { return row->check()->isChecked() && row->isEnabled(); }));
}

TEST_F(Steering, AMethodWithoutStudentOrStagesOffersNeither) {
  run(false, "plain");
  EXPECT_TRUE(wait_for([&] { return !window_->actions().pin->isEnabled(); }));
  EXPECT_TRUE(window_->actions().pin->toolTip().contains("Plain does not choose experts token by token"));
  EXPECT_FALSE(window_->actions().freeze_router->isEnabled());
}

TEST_F(Steering, AnExpertFrozenFromTheListShowsItsPadlock) {
  run();
  app::ExpertList& list = window_->lab().controls().experts();
  ASSERT_TRUE(wait_for([&] { return list.model()->rowCount() == 8; }));
  session().toggle_expert(0, 3);
  EXPECT_TRUE(answered("freeze expert L1·E3"));
  EXPECT_TRUE(
      wait_for([&] { return list.model()->index(3, 0).data(Qt::AccessibleTextRole).toString().contains("frozen"); }));
}

TEST_F(Steering, EveryWidgetThatTakesTheFocusHasAName) {
  run();
  for (QWidget* widget : window_->findChildren<QWidget*>()) {
    if (!widget->isVisible() || !(widget->focusPolicy() & Qt::TabFocus) || widget->inherits("QScrollBar")) continue;
    const auto* button = qobject_cast<QAbstractButton*>(widget);
    const bool named = !widget->accessibleName().isEmpty() || (button && !button->text().isEmpty());
    EXPECT_TRUE(named || widget->inherits("QTabBar"))
        << widget->metaObject()->className() << ' ' << qPrintable(widget->objectName());
  }
}

}  // namespace
}  // namespace moescope::test
