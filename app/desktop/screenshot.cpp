#include "app/desktop/screenshot.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QTimer>

#include <cstdio>
#include <memory>

#include "app/desktop/main_window.h"

namespace moescope::app {
namespace {

constexpr int kSettleMs = 1500;  // every canvas has drawn the newest frame by then

void finish(MainWindow& window, const QString& file, bool good) {
  if (good && !window.grab().save(file)) {
    std::fprintf(stderr, "error: %s could not be written\n", qPrintable(file));
    good = false;
  }
  window.close_when_stopped();
  QObject::connect(&window.session(), &Session::slow_tick, &window, [&window, good] {
    if (!window.session().bench().active()) QApplication::exit(good ? 0 : 1);
  });
}

/// How long a person waits until a canvas has drawn for the first time.
void say_first_picture(MainWindow& window) {
  auto timer = std::make_shared<QElapsedTimer>();
  auto said = std::make_shared<bool>(false);
  timer->start();
  for (CanvasWidget* canvas : window.lab().canvases())
    QObject::connect(canvas, &CanvasWidget::drawn, &window, [timer, said] {
      if (*said) return;
      *said = true;
      std::printf("first picture %lld ms after the window opened\n", static_cast<long long>(timer->elapsed()));
    });
}

}  // namespace

void take_screenshot(MainWindow& window, const QString& file, long long after_steps) {
  auto taken = std::make_shared<bool>(false);
  say_first_picture(window);
  QObject::connect(&window.session(), &Session::slow_tick, &window, [&window, file, after_steps, taken] {
    if (*taken) return;
    const bus::RunStatus& status = window.session().status();
    if (window.on_welcome_page() && after_steps > 0 && window.session().bench().active())
      window.actions().pause->trigger();
    const bool failed = status.state == bus::RunState::kFailed;
    const bool over = status.state == bus::RunState::kFinished && !window.session().following();
    if (!failed && !over && status.step < after_steps) return;
    *taken = true;
    if (failed) std::fprintf(stderr, "error: %s\n", qPrintable(Banner::failure_text(status)));
    QTimer::singleShot(kSettleMs, &window, [&window, file, failed] { finish(window, file, !failed); });
  });
}

}  // namespace moescope::app
