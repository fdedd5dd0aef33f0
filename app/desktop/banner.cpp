#include "app/desktop/banner.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QStyle>

#include <cmath>

#include "app/desktop/theme.h"
#include "views/scene/numbers.h"

namespace moescope::app {

Banner::Banner(Session& session, QWidget* parent) : QFrame(parent), session_(session) {
  setObjectName(QStringLiteral("banner"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 6, 6, 6);
  text_ = new QLabel(this);
  text_->setWordWrap(true);
  text_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  bar_ = new QProgressBar(this);
  bar_->setTextVisible(false);
  bar_->setFixedWidth(scaled(220));
  copy_ = new QPushButton(tr("Copy message"), this);
  again_ = new QPushButton(tr("New run"), this);
  dismiss_ = new QPushButton(tr("Close"), this);
  again_->setProperty("role", "primary");
  row->addWidget(text_, 1);
  row->addWidget(bar_);
  for (QPushButton* button : {copy_, again_, dismiss_}) row->addWidget(button);
  connect(copy_, &QPushButton::clicked, this,
          [this] { QGuiApplication::clipboard()->setText(failure_text(session_.status())); });
  connect(again_, &QPushButton::clicked, this, &Banner::new_run_wanted);
  connect(dismiss_, &QPushButton::clicked, this, [this] {
    dismissed_ = true;
    hide();
  });
  connect(&session_, &Session::run_started, this, [this] { dismissed_ = false; });
  connect(&session_, &Session::slow_tick, this, &Banner::refresh);
  hide();
}

QString Banner::failure_text(const bus::RunStatus& status) {
  return tr("The run failed at step %1 (%2): %3")
      .arg(status.failure.step)
      .arg(QString::fromStdString(status.failure.phase), QString::fromStdString(status.failure.message));
}

void Banner::show_failure() {
  text_->setText(failure_text(session_.status()));
  text_->setMaximumHeight(scaled(96));  // a long message must not push the pictures away; Copy has all of it
}

void Banner::show_finish() {
  QStringList parts{tr("Run finished at step %1").arg(session_.status().step)};
  if (const telemetry::ScalarSeries* series = session_.bench().history().series("validation");
      series && !series->value.empty())
    parts << tr("validation %1 bits per token")
                 .arg(QString::fromStdString(views::figure(series->value.back() / std::log(2.0))));
  const telemetry::RunInfo* run = session_.run();
  if (run && !run->folder.empty()) parts << tr("saved in %1").arg(QString::fromStdString(run->folder));
  text_->setText(parts.join(QStringLiteral(" · ")));
}

void Banner::show_preparation() {
  const bus::RunStatus& status = session_.status();
  const QString activity = QString::fromStdString(status.activity);
  text_->setText(activity.isEmpty() ? tr("Preparing…") : tr("Preparing: %1").arg(activity));
  bar_->setRange(0, status.progress < 0 ? 0 : 1000);
  bar_->setValue(static_cast<int>(1000 * std::max(0.0, status.progress)));
}

void Banner::show_held_up() {
  text_->setText(tr("Paused: %1. Nothing is lost; press Run when it is solved.")
                     .arg(QString::fromStdString(session_.status().activity)));
}

void Banner::refresh() {
  const bus::RunState state = session_.status().state;
  const bool failed = state == bus::RunState::kFailed, finished = state == bus::RunState::kFinished;
  const bool preparing = state == bus::RunState::kIdle && session_.bench().active();
  // A pause nobody asked for says its reason as the activity: no room left to record.
  const bool held_up = state == bus::RunState::kPaused && !session_.status().activity.empty();
  setVisible(preparing || held_up || ((failed || finished) && !dismissed_));
  if (!isVisibleTo(parentWidget())) return;
  bar_->setVisible(preparing);
  copy_->setVisible(failed);
  again_->setVisible(failed || finished);
  dismiss_->setVisible(failed || finished);
  if (property("failed").toBool() != (failed || held_up)) {
    setProperty("failed", failed || held_up);
    style()->polish(this);
  }
  if (failed) {
    show_failure();
  } else if (finished) {
    show_finish();
  } else if (held_up) {
    show_held_up();
  } else {
    show_preparation();
  }
}

}  // namespace moescope::app
