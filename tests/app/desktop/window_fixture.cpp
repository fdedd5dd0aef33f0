#include "tests/app/desktop/window_fixture.h"

#include <QElapsedTimer>
#include <QMessageBox>
#include <QSettings>

#include <set>

namespace moescope::test {

void WindowTest::SetUp() {
  QSettings().clear();
  window_ = std::make_unique<app::MainWindow>(fake_methods(), fake_starter(options_), views::make_views());
  window_->set_theme(app::ThemeChoice::kDark);
  window_->resize(1366, 768);
  window_->show();
  window_->lab().apply_layout(app::Layout::kSteer);
  ASSERT_TRUE(QTest::qWaitForWindowExposed(window_.get()));
  window_->activateWindow();
  session().start_ticking();
}

void WindowTest::TearDown() {
  window_->close_when_stopped();
  EXPECT_TRUE(wait_for([&] { return !session().bench().active(); })) << "the fake trainer did not stop";
  window_.reset();
}

config::RunConfig WindowTest::config(const std::string& method, std::int64_t steps) const {
  const auto made =
      config::run_config_from({{"moe.method", method}, {"name", std::string("made_up")}, {"train.steps", steps}},
                              window_->session().methods().catalogue);
  return made.value();
}

void WindowTest::run(bool paused, const std::string& method) {
  window_->start(config(method), {}, paused);
  window_->show_lab();
  ASSERT_TRUE(wait_for([&] { return paused ? session().paused() : session().frame() != nullptr; }));
}

bool WindowTest::wait_for(const std::function<bool()>& what, int ms) {
  QElapsedTimer timer;
  timer.start();
  while (!what()) {
    if (timer.elapsed() > ms) return false;
    QTest::qWait(5);
  }
  return true;
}

void WindowTest::step(std::int64_t count) {
  const std::int64_t target = session().status().step + count;
  bus::Command command;
  command.kind = bus::CommandKind::kStep;
  command.count = count;
  session().post(std::move(command));
  EXPECT_TRUE(wait_for([&] { return session().paused() && session().frame() && session().frame()->step == target; }));
}

app::JournalEntry WindowTest::newest() const {
  const auto& journal = window_->session().bench().journal();
  return journal.empty() ? app::JournalEntry{} : journal.back();
}

bool WindowTest::answered(const std::string& what) {
  return wait_for([&] {
    const app::JournalEntry entry = newest();
    return entry.what == what && !entry.pending;
  });
}

void WindowTest::press(Qt::Key key, Qt::KeyboardModifiers modifiers) {
  QWidget* target = window_->focusWidget() ? window_->focusWidget() : window_.get();
  QTest::keyClick(target, key, modifiers);
}

void WindowTest::click(QWidget& widget) { QTest::mouseClick(&widget, Qt::LeftButton); }

int distinct_colors(const QImage& image, int enough) {
  std::set<QRgb> seen;
  for (int y = 0; y < image.height(); y += 2)
    for (int x = 0; x < image.width(); x += 2) {
      seen.insert(image.pixel(x, y));
      if (static_cast<int>(seen.size()) >= enough) return enough;
    }
  return static_cast<int>(seen.size());
}

}  // namespace moescope::test
