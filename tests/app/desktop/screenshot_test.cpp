// Pictures of the whole window and of every view, light and dark, in both sizes; none is blank.
#include <QDir>
#include <QFile>
#include <QTemporaryDir>

#include "app/desktop/screenshot.h"
#include "tests/app/desktop/fake_record.h"
#include "tests/app/desktop/window_fixture.h"

namespace moescope::test {
namespace {

struct Shot {
  app::ThemeChoice theme;
  int width, height;
  const char* name;
};

class Screenshots : public WindowTest, public ::testing::WithParamInterface<Shot> {
 protected:
  void SetUp() override {
    options_->jump_to = 300;
    options_->switch_at = 220;
    options_->step = std::chrono::milliseconds(40);
    WindowTest::SetUp();
    ASSERT_TRUE(QDir().mkpath(MOESCOPE_SCREENSHOT_DIR));
  }
  static void save(QWidget& widget, const QString& name, int least_colors) {
    const QImage image = widget.grab().toImage();
    EXPECT_GE(distinct_colors(image), least_colors) << qPrintable(name);
    EXPECT_TRUE(image.save(QStringLiteral(MOESCOPE_SCREENSHOT_DIR "/%1.png").arg(name))) << qPrintable(name);
  }
};

TEST_P(Screenshots, TheWindowAndItsViewsAreNotBlank) {
  const Shot shot = GetParam();
  window_->resize(shot.width, shot.height);
  window_->set_theme(shot.theme);
  save(*window_, QStringLiteral("welcome-%1").arg(shot.name), 12);
  run();
  window_->lab().apply_layout(app::Layout::kSteer);
  ASSERT_TRUE(wait_for([&] { return session().frame()->step >= 300; }));
  session().toggle_router(1);
  session().probe_sentence("the der const 17");
  QTest::qWait(900);
  EXPECT_EQ(window_->size(), QSize(shot.width, shot.height)) << "the window does not fit this size";
  save(*window_, QStringLiteral("window-%1").arg(shot.name), 60);
  for (app::CanvasWidget* canvas : window_->lab().canvases()) {
    const QString id = QString::fromStdString(canvas->view().id());
    const std::uint64_t before = canvas->frames_drawn();
    window_->lab().raise_view(id);
    EXPECT_TRUE(wait_for([&] { return canvas->frames_drawn() > before + 1; })) << qPrintable(id);
    save(*canvas, QStringLiteral("%1-%2").arg(id, shot.name), 12);
  }
}

TEST_P(Screenshots, ARecordedRunAndAForkBesideItsParentAreNotBlank) {
  const Shot shot = GetParam();
  QTemporaryDir scratch;
  const QString folder = scratch.filePath(QStringLiteral("two_stage_workshop-1a2b"));
  write_record(folder.toStdString(), {.steps = 260, .total = 400, .switch_at = 180, .command_at = 90});
  window_->resize(shot.width, shot.height);
  window_->set_theme(shot.theme);
  ASSERT_TRUE(window_->open(folder));
  ASSERT_TRUE(wait_for([&] { return session().viewing(); }));
  session().look_at(140);
  QTest::qWait(900);
  save(*window_, QStringLiteral("record-%1").arg(shot.name), 60);
  options_->jump_to = 0;
  window_->fork_here();
  ASSERT_TRUE(wait_for([&] { return session().paused(); }));
  step(60);
  window_->lab().apply_layout(app::Layout::kSteer);
  QTest::qWait(900);
  save(*window_, QStringLiteral("fork-%1").arg(shot.name), 60);
  window_->actions().difference->trigger();
  QTest::qWait(600);
  save(*window_, QStringLiteral("difference-%1").arg(shot.name), 60);
}

INSTANTIATE_TEST_SUITE_P(Themes, Screenshots,
                         ::testing::Values(Shot{app::ThemeChoice::kDark, 1600, 1000, "dark-1600x1000"},
                                           Shot{app::ThemeChoice::kLight, 1600, 1000, "light-1600x1000"},
                                           Shot{app::ThemeChoice::kDark, 1366, 768, "dark-1366x768"},
                                           Shot{app::ThemeChoice::kLight, 1366, 768, "light-1366x768"}),
                         [](const auto& shot) {
                           return QString::fromLatin1(shot.param.name).replace('-', '_').toStdString();
                         });

/// What `moescope --screenshot` does, up to its exit code.
class PictureOfARun : public WindowTest {
 protected:
  QString file() { return scratch_.filePath("picture.png"); }
  QString folder() { return scratch_.filePath("recorded"); }
  int take(std::optional<std::int64_t> step = {}) {
    app::take_screenshot(*window_, file(), step);
    return QApplication::exec();
  }
  int take_of_record(std::optional<std::int64_t> step = {}) {
    EXPECT_TRUE(window_->open(folder()));
    return take(step);
  }

  QTemporaryDir scratch_;
};

TEST_F(PictureOfARun, IsTakenOfARecordAtTheStepAskedFor) {
  write_record(folder().toStdString());
  EXPECT_EQ(take_of_record(60), 0);
  EXPECT_EQ(session().shown_step(), 60);
  EXPECT_GT(distinct_colors(QImage(file())), 60);
}

TEST_F(PictureOfARun, IsNotTakenOfAStepThatIsNotRecorded) {
  write_record(folder().toStdString());
  EXPECT_EQ(take_of_record(500), 2);
  EXPECT_FALSE(QFile::exists(file()));
}

TEST_F(PictureOfARun, IsNotTakenOfARecordThatCannotBeRead) {
  ASSERT_TRUE(QDir().mkpath(folder()));
  QFile garbage(folder() + "/run.db");
  ASSERT_TRUE(garbage.open(QIODevice::WriteOnly));
  garbage.write(QByteArray(8192, 'x'));
  garbage.close();
  EXPECT_EQ(take_of_record(), 2);
  EXPECT_FALSE(QFile::exists(file()));
}

TEST_F(PictureOfARun, IsNotWaitedForWhenAFollowedRecordGoesAway) {
  const GrowingRecord recorder(folder().toStdString());
  ASSERT_TRUE(window_->open(folder()));
  ASSERT_TRUE(wait_for([&] { return session().following(); }));
  ASSERT_TRUE(QFile::remove(folder() + "/run.db"));
  EXPECT_EQ(take(500), 2);
  EXPECT_FALSE(QFile::exists(file()));
}

TEST_F(PictureOfARun, IsNotTakenOfARunThatFails) {
  options_->fail_at = 30;
  run();
  EXPECT_EQ(take(100), 1);
  EXPECT_FALSE(QFile::exists(file()));
}

}  // namespace
}  // namespace moescope::test
