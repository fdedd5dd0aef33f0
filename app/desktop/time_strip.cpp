#include "app/desktop/time_strip.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QStyle>

#include <algorithm>
#include <array>

#include "app/desktop/icons.h"
#include "app/desktop/theme.h"
#include "core/base/text.h"

namespace moescope::app {
namespace {

constexpr int kTickMs = 33;
constexpr double kWholeSeconds = 60;  // how long a whole run plays at speed 1
constexpr double kLeastSpeed = 10;    // steps per second: a short run need not take a minute
constexpr std::array kSpeeds{1, 4, 16};

QString thousands(std::int64_t value) { return QString::fromStdString(with_thousands(value)); }

}  // namespace

TimeStrip::TimeStrip(Session& session, Actions& actions, QWidget* parent)
    : QFrame(parent), session_(session), actions_(actions) {
  setObjectName(QStringLiteral("time_strip"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 2, 8, 2);
  row->setSpacing(6);
  play_ = new QPushButton(this);
  play_->setProperty("role", "strip");
  play_->setIconSize({scaled(12), scaled(12)});
  speed_ = new QPushButton(this);
  speed_->setProperty("role", "strip");
  speed_->setToolTip(tr("How fast the record plays; 1×: the whole run in a minute"));
  play_->setAutoDefault(true);
  speed_->setAutoDefault(true);
  track_ = new TimeTrack(session, this);
  words_ = new QLabel(this);
  words_->setMinimumWidth(scaled(172));
  words_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  for (QWidget* widget : {static_cast<QWidget*>(play_), static_cast<QWidget*>(speed_)}) row->addWidget(widget);
  row->addWidget(track_, 1);
  row->addWidget(words_);
  for (QAction* action : {actions_.follow_live, actions_.restore, actions_.fork, actions_.go_on}) add_button(action);
  timer_.setInterval(kTickMs);
  connect(&timer_, &QTimer::timeout, this, &TimeStrip::play_on);
  connect(play_, &QPushButton::clicked, this, &TimeStrip::toggle_play);
  connect(speed_, &QPushButton::clicked, this, [this] {
    speed_index_ = (speed_index_ + 1) % static_cast<int>(kSpeeds.size());
    refresh();
  });
  connect(&session_, &Session::arrived, this, &TimeStrip::refresh);
  connect(&session_, &Session::selection_changed, this, &TimeStrip::refresh);
  connect(&session_, &Session::theme_changed, this, &TimeStrip::refresh_icon);
  connect(&session_, &Session::run_started, this, [this] {
    timer_.stop();
    refresh();
  });
  refresh();
}

QPushButton* TimeStrip::button(const QAction* action) const {
  for (const auto& [of, button] : buttons_)
    if (of == action) return button;
  return nullptr;
}

void TimeStrip::add_button(QAction* action) {
  auto* button = new QPushButton(this);
  button->setProperty("role", "strip");
  button->setAutoDefault(true);  // Enter presses it; Space runs and pauses
  layout()->addWidget(button);
  connect(button, &QPushButton::clicked, action, &QAction::trigger);
  connect(action, &QAction::changed, this, &TimeStrip::refresh);
  buttons_.emplace_back(action, button);
}

QString TimeStrip::told() const {
  const QString shown = thousands(session_.shown_step());
  const bool past = session_.selection().step.has_value();
  if (!session_.run()) return {};
  const bool trains = session_.running() || session_.following();
  if (session_.viewing() && !trains)
    return past ? tr("viewing %1 of %2").arg(shown, thousands(session_.last_step())) : tr("recorded to %1").arg(shown);
  if (!past && session_.following()) return tr("followed at %1").arg(shown);
  if (!past) return trains ? tr("live at %1").arg(shown) : tr("at step %1").arg(shown);
  const QString now = thousands(session_.status().step);
  return trains ? tr("viewing %1, training at %2").arg(shown, now) : tr("viewing %1 of %2").arg(shown, now);
}

void TimeStrip::refresh() {
  const QString text = told();
  if (text != words_->text()) words_->setText(text);
  const QString role = session_.selection().step ? QStringLiteral("accent") : QStringLiteral("muted");
  if (words_->property("role").toString() != role) {
    words_->setProperty("role", role);
    words_->style()->polish(words_);
  }
  speed_->setText(tr("%1×").arg(kSpeeds[static_cast<std::size_t>(speed_index_)]));
  speed_->setAccessibleName(tr("Speed %1").arg(speed_->text()));
  play_->setEnabled(session_.last_step() > session_.first_step());
  speed_->setEnabled(play_->isEnabled());
  for (const auto& [action, button] : buttons_) {
    button->setText(action->text());
    button->setToolTip(action->toolTip());
    button->setVisible(action->isEnabled());
  }
  refresh_icon();
}

void TimeStrip::refresh_icon() {
  const int side = scaled(12);
  const double ratio = devicePixelRatioF();
  QPixmap pixmap(qRound(side * ratio), qRound(side * ratio));
  pixmap.setDevicePixelRatio(ratio);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  const views::Palette& palette = session_.palette();
  paint_icon(painter, playing() ? Icon::kPause : Icon::kRun, QRectF(0, 0, side, side),
             to_qt(play_->isEnabled() ? palette.text : palette.muted));
  painter.end();
  play_->setIcon(QIcon(pixmap));
  const QString name = playing() ? tr("Stop playing the record") : tr("Play the record from here");
  play_->setAccessibleName(name);
  play_->setToolTip(name);
}

void TimeStrip::toggle_play() {
  if (playing()) {
    timer_.stop();
  } else {
    // At its end it plays from the start.
    played_ = static_cast<double>(session_.selection().step ? session_.shown_step() : session_.first_step());
    session_.look_at(static_cast<std::int64_t>(played_));
    since_moved_.start();
    timer_.start();
  }
  refresh();
}

void TimeStrip::play_on() {
  const std::int64_t first = session_.first_step(), last = session_.last_step();
  const double seconds = static_cast<double>(since_moved_.restart()) / 1000;
  // Somebody moved the head: it plays on from there.
  if (session_.shown_step() != static_cast<std::int64_t>(played_)) played_ = static_cast<double>(session_.shown_step());
  const double speed = std::max(kLeastSpeed, static_cast<double>(last - first) / kWholeSeconds);
  played_ += seconds * speed * kSpeeds[static_cast<std::size_t>(speed_index_)];
  session_.look_at(static_cast<std::int64_t>(played_));
  if (!session_.selection().step) timer_.stop();
  refresh();
}

}  // namespace moescope::app
