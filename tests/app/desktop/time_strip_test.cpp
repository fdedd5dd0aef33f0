// The time strip of a run that trains: here, or in another process that records it.
#include <QTemporaryDir>

#include "app/desktop/theme.h"
#include "core/record/run_writer.h"
#include "tests/app/desktop/fake_record.h"
#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

class Strip : public WindowTest {
 protected:
  app::TimeTrack& track() { return window_->time_strip().track(); }
  QString told(std::int64_t step) { return track().told_at(track().x_of(step)); }
  bool marked(std::int64_t step) {
    const QImage image = track().grab().toImage();
    return image.pixelColor(qRound(track().x_of(step)), track().height() - 4) == app::to_qt(session().palette().muted);
  }
  QString words() { return window_->time_strip().words(); }
  bool says(const char* text) {
    return wait_for([&] { return window_->status_line().left_text().contains(text); });
  }
  QString folder() { return scratch_.filePath("recorded"); }
  void open() {
    EXPECT_TRUE(window_->open(folder()));
    ASSERT_TRUE(wait_for([&] { return session().viewing(); }));
  }
  bool shows(std::int64_t step) {
    return wait_for([&] { return session().last_step() == step; }, 30'000);
  }

  QTemporaryDir scratch_;
};

TEST_F(Strip, CheckpointsOfALiveRunAreMarkedAsTheyComeAndGo) {
  options_->checkpoint_every = 20;
  run(true);
  step(30);
  EXPECT_TRUE(wait_for([&] { return told(20) == "checkpoint at step 20"; })) << qPrintable(told(20));
  EXPECT_TRUE(marked(20));
  EXPECT_FALSE(marked(10));
  step(40);
  EXPECT_TRUE(wait_for([&] { return told(60) == "checkpoint at step 60"; })) << qPrintable(told(60));
  EXPECT_EQ(told(40), "checkpoint at step 40");
  EXPECT_EQ(told(20), "step 20") << "it was let go";
  EXPECT_FALSE(marked(20));
}

TEST_F(Strip, ARunThatIsTrainedElsewhereIsFollowed) {
  auto recorder = std::make_unique<GrowingRecord>(folder().toStdString());
  open();
  EXPECT_TRUE(session().following());
  EXPECT_TRUE(says("trained elsewhere, followed"));
  EXPECT_EQ(words(), "followed at 120");
  EXPECT_FALSE(window_->actions().go_on->isEnabled());
  session().select_layer(2);
  recorder->grow_to(150);
  ASSERT_TRUE(shows(150));
  EXPECT_EQ(words(), "followed at 150");

  session().look_at(60);
  recorder->grow_to(180);
  ASSERT_TRUE(shows(180));
  EXPECT_EQ(session().selection().step, 60) << "the cursor stays where it is";
  EXPECT_EQ(session().selection().layer, 2);
  EXPECT_EQ(words(), "viewing 60, training at 180");
  session().follow_live();

  EXPECT_TRUE(wait_for([&] { return window_->banner().text() == "This run is trained elsewhere and followed here."; }));
  for (QPushButton* button : window_->banner().findChildren<QPushButton*>())
    if (button->text() == "Close") click(*button);
  recorder->grow_to(200);
  recorder.reset();
  ASSERT_TRUE(wait_for([&] { return !session().following(); }, 30'000));
  EXPECT_EQ(session().last_step(), 200) << "all that was recorded until its recorder ended";
  EXPECT_EQ(words(), "recorded to 200");
  EXPECT_TRUE(window_->actions().go_on->isEnabled());
  EXPECT_TRUE(says("recorded"));
  EXPECT_TRUE(wait_for([&] { return window_->banner().isVisible(); })) << "closing what it said before is no answer";
  EXPECT_EQ(window_->banner().text(), "This run stopped at step 200 of 400.");

  const telemetry::History& history = session().bench().history();
  const std::vector<std::int64_t>& steps = history.series("task")->step;
  ASSERT_EQ(steps.size(), 200U);
  for (std::size_t i = 0; i < steps.size(); ++i) ASSERT_EQ(steps[i], static_cast<std::int64_t>(i) + 1);
  EXPECT_EQ(history.events().size(), 2U);
  EXPECT_EQ(session().bench().journal().size(), 3U);
}

TEST_F(Strip, ARecordedRunThatIsTakenUpElsewhereIsFollowedFromThen) {
  write_record(folder().toStdString());
  open();
  EXPECT_FALSE(session().following());
  auto recorder = record::RunWriter::reopen(folder().toStdString());
  ASSERT_TRUE(recorder.has_value());
  EXPECT_TRUE(wait_for([&] { return session().following(); }, 30'000));
  EXPECT_FALSE(window_->actions().go_on->isEnabled());
  recorder->reset();
  EXPECT_TRUE(wait_for([&] { return !session().following(); }, 30'000));
  EXPECT_TRUE(window_->actions().go_on->isEnabled());
}

TEST_F(Strip, OneThatIsFollowedIsLeftForAnother) {
  const GrowingRecord recorder(folder().toStdString());
  open();
  window_->fork_here();
  ASSERT_TRUE(wait_for([&] { return session().paused() && session().run()->parent_step == 120; }));
  EXPECT_FALSE(session().following());
  EXPECT_EQ(words(), "at step 120");
}

}  // namespace
}  // namespace moescope::test
