#include "app/desktop/status_line.h"

#include <QLocale>

#include <cmath>
#include <numeric>

#include "core/analysis/fluctuation.h"
#include "core/base/text.h"
#include "views/scene/numbers.h"

namespace moescope::app {
namespace {

constexpr int kNoticeMs = 6000;
constexpr int kSpeedMs = 1000;
constexpr double kSilenceSeconds = 3;

QString strong(const QString& text) {
  return QStringLiteral("<b style='font-weight:600'>%1</b>").arg(text.toHtmlEscaped());
}
QString thousands(std::int64_t value) { return QString::fromStdString(with_thousands(value)); }

/// Share of probe tokens whose first choice changed between the two newest probes of a layer; NaN without two.
double newest_fluctuation(const telemetry::History& history, int layer) {
  const auto& probes = history.probes();
  const auto index = static_cast<std::size_t>(layer);
  if (probes.size() < 2) return std::nan("");
  const telemetry::ProbeSnapshot &before = *probes[probes.size() - 2], &after = *probes.back();
  if (index >= before.layers.size() || index >= after.layers.size()) return std::nan("");
  const auto &was = before.layers[index], &is = after.layers[index];
  if (after.after_break || was.top_k != is.top_k || was.expert_TK.size() != is.expert_TK.size() || is.expert_TK.empty())
    return std::nan("");
  return analysis::fluctuation_between(was.expert_TK, is.expert_TK, is.top_k).first_choice;
}

}  // namespace

StatusLine::StatusLine(Session& session, QWidget* parent) : QStatusBar(parent), session_(session) {
  setSizeGripEnabled(false);
  left_ = new QLabel(this);
  left_->setTextFormat(Qt::RichText);
  left_->setContentsMargins(8, 3, 8, 3);
  left_->setObjectName(QStringLiteral("muted"));
  left_->setAccessibleName(tr("State of the run"));
  left_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  right_ = new QLabel(this);
  right_->setObjectName(QStringLiteral("muted"));
  right_->setContentsMargins(8, 3, 8, 3);
  addWidget(left_, 1);
  addPermanentWidget(right_);
  connect(&session_, &Session::slow_tick, this, &StatusLine::refresh);
  connect(&session_, &Session::noticed, this, &StatusLine::notice);
  connect(&session_, &Session::run_started, this, [this] {
    steps_per_second_ = watch_share_ = 0;
    speed_step_ = 0;
    since_speed_.invalidate();
  });
  refresh();
}

void StatusLine::notice(const QString& text) {
  notice_ = text;
  since_notice_.restart();
  show_notice();
}

/// Cut rather than let it push the figures out, or make the window wider.
void StatusLine::show_right(const QString& text, Qt::TextElideMode cut, int most) {
  const QString shown = right_->fontMetrics().elidedText(text, cut, most);
  if (shown != right_->text()) right_->setText(shown);
  right_->setToolTip(shown == text ? QString() : text);
}

void StatusLine::measure_speed() {
  const telemetry::TelemetryFrame* frame = session_.frame();
  if (!frame) return;
  if (!since_speed_.isValid() || !session_.running()) {
    since_speed_.restart();
    speed_step_ = frame->step;
    return;
  }
  if (since_speed_.elapsed() < kSpeedMs) return;
  const double seconds = static_cast<double>(since_speed_.restart()) / 1000;
  const double now = static_cast<double>(frame->step - speed_step_) / seconds;
  steps_per_second_ = steps_per_second_ == 0 ? now : 0.6 * steps_per_second_ + 0.4 * now;
  speed_step_ = frame->step;
  const double share = frame->watch_ms / std::max(1e-6, frame->step_ms + frame->watch_ms);
  watch_share_ = watch_share_ == 0 ? share : 0.8 * watch_share_ + 0.2 * share;
}

QString StatusLine::state_words() const {
  const bus::RunStatus& status = session_.status();
  const double silent = session_.silent_seconds();
  if (silent > kSilenceSeconds) return tr("core silent for %1 s").arg(static_cast<int>(silent));
  switch (status.state) {
    case bus::RunState::kIdle: return session_.bench().active() ? tr("preparing") : tr("no run");
    case bus::RunState::kRunning: return {};
    case bus::RunState::kPaused: return tr("paused");
    case bus::RunState::kStopping: return tr("stopping…");
    case bus::RunState::kFailed: return tr("failed");
    case bus::RunState::kFinished:
      return session_.following() ? tr("trained elsewhere, followed")
             : session_.viewing() ? tr("recorded")
                                  : tr("finished");
  }
  return {};
}

QString StatusLine::figures() const {
  const telemetry::RunInfo* run = session_.run();
  const telemetry::TelemetryFrame* frame = session_.frame();
  QStringList parts;
  const QString state = state_words();
  if (!state.isEmpty()) parts << strong(state);
  if (!run) return parts.join(QString());
  parts << tr("step %1 / %2").arg(strong(thousands(session_.status().step)), thousands(run->total_steps));
  if (session_.running() && steps_per_second_ > 0) {
    parts << tr("%1 steps/s").arg(strong(QString::number(steps_per_second_, 'f', 1)));
    parts << tr("%1 tokens/s").arg(strong(thousands(std::llround(steps_per_second_ * run->tokens_per_step))));
  }
  const auto stage = static_cast<std::size_t>(session_.live().stage);
  if (run->stages.size() > 1 && stage < run->stages.size())
    parts << tr("stage %1")
                 .arg(strong(QStringLiteral("%1 %2").arg(stage + 1).arg(QString::fromStdString(run->stages[stage]))));
  if (frame) {
    const double flicker = newest_fluctuation(session_.bench().history(), session_.selection().layer);
    if (!std::isnan(flicker)) parts << tr("fluctuation %1").arg(strong(QString::number(flicker, 'f', 3)));
    if (watch_share_ > 0)
      parts << tr("watching costs %1").arg(strong(QString::fromStdString(views::percent(watch_share_))));
  }
  if (const QString exact = exactness(); !exact.isEmpty()) parts << exact;
  if (!session_.viewing())
    parts
        << tr("frames dropped %1").arg(strong(thousands(static_cast<std::int64_t>(session_.bench().dropped_frames()))));
  const QString threads = run->threads == 1 ? tr("1 thread") : tr("%1 threads").arg(run->threads);
  parts << QStringLiteral("%1 · %2 · %3")
               .arg(QString::fromStdString(run->device), threads, QString::fromStdString(run->precision));
  return parts.join(QStringLiteral("&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; "));
}

/// Of a run that goes on from a record: whether it is to the bit what it would have been.
QString StatusLine::exactness() const {
  if (!session_.bench().origin() || session_.viewing() || session_.status().state == bus::RunState::kIdle) return {};
  const std::string& why = session_.status().inexact;
  if (why.empty()) return strong(tr("bit-exact"));
  return tr("%1: %2").arg(strong(tr("not bit-exact")), QString::fromStdString(why).toHtmlEscaped());
}

QString StatusLine::where() const {
  const telemetry::RunInfo* run = session_.run();
  if (!run) return {};
  return run->folder.empty() ? tr("not recorded") : tr("recorded in %1").arg(QString::fromStdString(run->folder));
}

void StatusLine::refresh() {
  measure_speed();
  const QString text = figures();
  if (text != left_->text()) left_->setText(text);
  const bool noticing = !notice_.isEmpty() && since_notice_.elapsed() < kNoticeMs;
  if (!noticing) notice_.clear();
  noticing ? show_notice() : show_right(where(), Qt::ElideMiddle, width() / 3);
}

}  // namespace moescope::app
