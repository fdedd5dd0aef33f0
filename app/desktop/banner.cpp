#include "app/desktop/banner.h"

#include <QClipboard>
#include <QFileInfo>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QStyle>

#include <algorithm>
#include <cmath>

#include "app/desktop/theme.h"
#include "core/base/text.h"
#include "views/scene/numbers.h"

namespace moescope::app {
namespace {

QString thousands(std::int64_t value) { return QString::fromStdString(with_thousands(value)); }

}  // namespace

Banner::Banner(Session& session, QWidget* parent) : QFrame(parent), session_(session) {
  setObjectName(QStringLiteral("banner"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 6, 6, 6);
  text_ = new QLabel(this);
  text_->setWordWrap(true);
  text_->setMaximumHeight(scaled(96));  // a long message must not push the pictures away; Copy has all of it
  text_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  bar_ = new QProgressBar(this);
  bar_->setTextVisible(false);
  bar_->setFixedWidth(scaled(220));
  copy_ = new QPushButton(tr("Copy message"), this);
  continue_ = new QPushButton(this);
  again_ = new QPushButton(tr("New run"), this);
  cancel_ = new QPushButton(tr("Cancel"), this);
  dismiss_ = new QPushButton(tr("Close"), this);
  continue_->setProperty("role", "primary");
  row->addWidget(text_, 1);
  row->addWidget(bar_);
  for (QPushButton* button : {copy_, continue_, again_, cancel_, dismiss_}) row->addWidget(button);
  connect(copy_, &QPushButton::clicked, this,
          [this] { QGuiApplication::clipboard()->setText(failure_text(session_.status())); });
  connect(continue_, &QPushButton::clicked, this, &Banner::go_on_wanted);
  connect(again_, &QPushButton::clicked, this, &Banner::new_run_wanted);
  connect(cancel_, &QPushButton::clicked, &session_, &Session::cancel_loading);
  connect(dismiss_, &QPushButton::clicked, this, [this] {
    dismissed_ = text_->text();
    hide();
  });
  connect(&session_, &Session::run_started, this, [this] { dismissed_.clear(); });
  connect(&session_, &Session::slow_tick, this, &Banner::refresh);
  hide();
}

QString Banner::failure_text(const bus::RunStatus& status) {
  return tr("The run failed at step %1 (%2): %3")
      .arg(status.failure.step)
      .arg(QString::fromStdString(status.failure.phase), QString::fromStdString(status.failure.message));
}

bool Banner::can_go_on() const {
  const telemetry::RunInfo* run = session_.run();
  const config::RunConfig* config = session_.bench().config();
  return run && config && !run->folder.empty() && session_.last_step() > 0 &&
         session_.last_step() < config->train.steps;
}

Banner::Message Banner::of_finish() const {
  QStringList parts{tr("Run finished at step %1").arg(session_.status().step)};
  if (const telemetry::ScalarSeries* series = session_.bench().history().series("validation");
      series && !series->value.empty())
    parts << tr("validation %1 bits per token")
                 .arg(QString::fromStdString(views::figure(series->value.back() / std::log(2.0))));
  const telemetry::RunInfo* run = session_.run();
  if (run && !run->folder.empty()) parts << tr("saved in %1").arg(QString::fromStdString(run->folder));
  Message made{parts.join(QStringLiteral(" · "))};
  made.can_begin_anew = made.can_dismiss = true;
  made.can_go_on = can_go_on();
  return made;
}

Banner::Message Banner::of_preparation() const {
  const bus::RunStatus& status = session_.status();
  const QString activity = QString::fromStdString(status.activity);
  Message made{activity.isEmpty() ? tr("Preparing…") : tr("Preparing: %1").arg(activity)};
  made.progress = std::max(-1.0, status.progress);
  return made;
}

Banner::Message Banner::of_record() const {
  const LoadedRun& run = *session_.bench().loaded();
  const config::RunConfig* config = session_.bench().config();
  const QString last = thousands(run.last_step);
  Message made;
  made.can_dismiss = true;
  made.can_go_on = can_go_on() && !session_.following() && run.obstacle.empty();
  QStringList said;
  if (session_.following()) {
    said << tr("This run is trained elsewhere and followed here.");
  } else if (const record::EventRow* failure = session_.recorded_failure()) {
    said << tr("This run failed at step %1: %2").arg(thousands(failure->step), QString::fromStdString(failure->text));
    made.warning = true;
  } else if (config && run.last_step < config->train.steps) {
    said << tr("This run stopped at step %1 of %2.").arg(last, thousands(config->train.steps));
  }
  if (!config) said << tr("Its configuration cannot be read here, so it can be looked at but not gone on with.");
  if (!run.obstacle.empty()) {
    said << QString::fromStdString(run.obstacle) + QLatin1Char('.');
    made.warning = true;
  } else if (!run.damages.empty()) {
    said << tr("Its record is damaged: %1").arg(QString::fromStdString(run.damages.front()));
    if (run.damages.size() > 1) said << tr("And %1 more.").arg(run.damages.size() - 1);
    made.warning = true;
  }
  made.text = said.join(QLatin1Char(' '));
  return made;
}

Banner::Message Banner::message() const {
  if (const RunLoader* loader = session_.loading()) {
    Message made{tr("Reading %1 …").arg(QFileInfo(QString::fromStdString(loader->path())).fileName())};
    made.progress = loader->progress();
    made.can_cancel = true;
    return made;
  }
  if (session_.viewing()) return of_record();
  const bus::RunStatus& status = session_.status();
  if (status.state == bus::RunState::kFailed) {
    Message made{failure_text(status), true};
    made.failure = made.can_begin_anew = made.can_dismiss = true;
    made.can_go_on = can_go_on();
    return made;
  }
  if (status.state == bus::RunState::kFinished) return of_finish();
  // A pause nobody asked for says its reason as the activity: no room left to record.
  if (status.state == bus::RunState::kPaused && !status.activity.empty())
    return {
        tr("Paused: %1. Nothing is lost; press Run when it is solved.").arg(QString::fromStdString(status.activity)),
        true};
  if (status.state == bus::RunState::kIdle && session_.bench().active()) return of_preparation();
  return {};
}

void Banner::refresh() {
  const Message now = message();
  setVisible(!now.text.isEmpty() && !(now.can_dismiss && dismissed_ == now.text));
  if (!isVisibleTo(parentWidget())) return;
  text_->setText(now.text);
  text_->setToolTip(text_->heightForWidth(text_->width()) > text_->maximumHeight() ? now.text : QString());
  bar_->setVisible(now.progress > -2);
  bar_->setRange(0, now.progress < 0 ? 0 : 1000);
  bar_->setValue(static_cast<int>(1000 * std::max(0.0, now.progress)));
  copy_->setVisible(now.failure);
  continue_->setText(tr("Continue from step %1").arg(thousands(session_.last_step())));
  continue_->setVisible(now.can_go_on);
  again_->setVisible(now.can_begin_anew);
  cancel_->setVisible(now.can_cancel);
  dismiss_->setVisible(now.can_dismiss);
  if (property("failed").toBool() == now.warning) return;
  setProperty("failed", now.warning);
  style()->polish(this);
}

}  // namespace moescope::app
