#include "app/desktop/screenshot.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QTimer>

#include <cstdio>
#include <memory>
#include <utility>

#include "app/desktop/main_window.h"

namespace moescope::app {
namespace {

constexpr int kSettleMs = 1500;            // every canvas has drawn the newest frame by then
constexpr std::int64_t kStepsBefore = 20;  // of a run that trains, when no step is asked for
constexpr int kRunFailed = 1, kBadInput = 2;

/// Waits for the moment, takes the picture and closes the window, whose child it is.
class Photographer : public QObject {
 public:
  Photographer(MainWindow& window, QString file, std::optional<std::int64_t> step)
      : QObject(&window), window_(window), session_(window.session()), file_(std::move(file)), step_(step) {
    connect(&session_, &Session::open_failed, this,
            [this](const Diagnostics& why) { give_up(QString::fromStdString(format(why)).trimmed(), kBadInput); });
    connect(&session_, &Session::slow_tick, this, &Photographer::look);
  }

 private:
  void look() {
    if (over_ || !session_.settled()) return;
    if (!(session_.viewing() ? record_is_there() : run_is_there())) return;
    over_ = true;
    QTimer::singleShot(kSettleMs, this, &Photographer::take);
  }

  bool record_is_there() {
    const std::int64_t step = step_.value_or(session_.last_step());
    if (session_.following() && step > session_.last_step()) return false;
    for (const std::string& damage : session_.bench().loaded()->damages)
      std::fprintf(stderr, "warning: %s\n", damage.c_str());
    session_.look_at(step);
    if (session_.shown_step() == step) return true;
    give_up(QObject::tr("error: this run has the steps %1 to %2, not %3")
                .arg(session_.first_step())
                .arg(session_.last_step())
                .arg(step),
            kBadInput);
    return false;
  }

  bool run_is_there() {
    const bus::RunStatus& status = session_.status();
    const std::int64_t step = step_.value_or(kStepsBefore);
    if (window_.on_welcome_page() && step > 0 && session_.bench().active()) window_.actions().pause->trigger();
    if (status.state == bus::RunState::kFailed)
      give_up(QStringLiteral("error: ") + Banner::failure_text(status), kRunFailed);
    return status.state == bus::RunState::kFinished || (!over_ && status.step >= step);
  }

  void take() {
    const bool written = window_.grab().save(file_);
    if (!written) std::fprintf(stderr, "error: %s could not be written\n", qPrintable(file_));
    window_.close_when_stopped(written ? 0 : kRunFailed);
  }

  void give_up(const QString& why, int exit_code) {
    if (over_) return;
    over_ = true;
    std::fprintf(stderr, "%s\n", qPrintable(why));
    window_.close_when_stopped(exit_code);
  }

  MainWindow& window_;
  Session& session_;
  const QString file_;
  const std::optional<std::int64_t> step_;
  bool over_ = false;
};

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

void take_screenshot(MainWindow& window, const QString& file, std::optional<std::int64_t> step) {
  say_first_picture(window);
  new Photographer(window, file, step);
}

}  // namespace moescope::app
