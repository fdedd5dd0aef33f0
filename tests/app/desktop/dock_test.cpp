// Docks are floated, hidden, stacked and brought back without losing a picture.
#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

class Docks : public WindowTest {};

TEST_F(Docks, TwentyFloatsAndReturnsKeepThePicture) {
  run();
  app::Dock* dock = window_->lab().dock("load");
  app::CanvasWidget* canvas = window_->lab().canvas("load");
  for (int i = 0; i < 20; ++i) {
    dock->setFloating(i % 2 == 0);
    QTest::qWait(40);
  }
  EXPECT_FALSE(dock->isFloating());
  const std::uint64_t before = canvas->frames_drawn();
  EXPECT_TRUE(wait_for([&] { return canvas->frames_drawn() > before + 2; }));
  EXPECT_GT(distinct_colors(canvas->grab().toImage()), 12);
}

TEST_F(Docks, HiddenOnesCostNothingAndWantNothing) {
  run();
  app::CanvasWidget* sphere = window_->lab().canvas("sphere");
  ASSERT_TRUE(wait_for([&] { return session().bench().history().space(0) != nullptr; }));
  window_->lab().dock("sphere")->close();
  QTest::qWait(700);  // what was published before the new wish
  const std::uint64_t drawn = sphere->frames_drawn();
  const std::int64_t step = session().bench().history().space(0)->step;
  QTest::qWait(600);
  EXPECT_EQ(sphere->frames_drawn(), drawn);
  EXPECT_EQ(session().bench().history().space(0)->step, step) << "the trainer still sends what nobody sees";
  window_->lab().raise_view("sphere");
  EXPECT_TRUE(wait_for([&] { return session().bench().history().space(0)->step > step; }));
  EXPECT_TRUE(wait_for([&] { return sphere->frames_drawn() > drawn; }));
}

TEST_F(Docks, ADockBehindATabIsNotDrawn) {
  run();
  app::CanvasWidget* tokens = window_->lab().canvas("tokens");
  EXPECT_TRUE(wait_for([&] { return !tokens->shown(); }));
  window_->lab().raise_view("tokens");
  EXPECT_TRUE(wait_for([&] { return tokens->shown() && tokens->frames_drawn() > 0; }));
}

TEST_F(Docks, TheLayoutIsKept) {
  run();
  window_->lab().dock("loss")->close();
  window_->lab().keep_layout();
  window_->lab().apply_layout(app::Layout::kSteer);
  EXPECT_TRUE(window_->lab().dock("loss")->isVisible());
  EXPECT_TRUE(window_->lab().restore_layout());
  EXPECT_FALSE(window_->lab().dock("loss")->isVisible());
}

TEST_F(Docks, TheLayoutWatchShowsPicturesOnly) {
  run();
  window_->lab().apply_layout(app::Layout::kWatch);
  EXPECT_FALSE(window_->lab().dock("controls")->isVisible());
  EXPECT_TRUE(window_->lab().dock("flow")->isVisible());
}

}  // namespace
}  // namespace moescope::test
