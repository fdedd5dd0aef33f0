#include "app/desktop/time_track.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/desktop/theme.h"
#include "views/scene/numbers.h"
#include "views/scene/time_axis.h"

namespace moescope::app {
namespace {

constexpr double kMargin = 9;
constexpr double kReach = 4;  // pixels around a mark that are the mark's
constexpr double kHead = 5.5;

int as_value(std::int64_t step) {
  return static_cast<int>(std::clamp<std::int64_t>(step, 0, std::numeric_limits<int>::max()));
}

}  // namespace

TimeTrack::TimeTrack(Session& session, QWidget* parent) : QSlider(Qt::Horizontal, parent), session_(session) {
  setObjectName(QStringLiteral("time_track"));
  setAccessibleName(tr("Step looked at"));
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&session_, &Session::arrived, this, &TimeTrack::refresh);
  connect(&session_, &Session::selection_changed, this, &TimeTrack::refresh);
  connect(&session_, &Session::run_started, this, &TimeTrack::refresh);
  connect(&session_, &Session::theme_changed, this, qOverload<>(&QWidget::update));
  // refresh() blocks this signal, so what arrives here is a person's.
  connect(this, &QSlider::valueChanged, this, [this](int step) { session_.look_at(step); });
  refresh();
}

QSize TimeTrack::sizeHint() const { return {scaled(300), scaled(26)}; }

void TimeTrack::refresh() {
  const QSignalBlocker quiet(this);
  const std::int64_t first = session_.first_step(), last = session_.last_step();
  setRange(as_value(first), as_value(last));
  setPageStep(std::max(1, as_value((last - first) / 20)));
  setValue(as_value(session_.shown_step()));
  setEnabled(last > first);
  update();
}

double TimeTrack::x_of(std::int64_t step) const {
  const double span = static_cast<double>(std::max(1, maximum() - minimum()));
  return kMargin + (width() - 2 * kMargin) * static_cast<double>(step - minimum()) / span;
}

std::int64_t TimeTrack::step_at(double x) const {
  const double part = std::clamp((x - kMargin) / std::max(1.0, width() - 2 * kMargin), 0.0, 1.0);
  return minimum() + std::llround(part * (maximum() - minimum()));
}

QString TimeTrack::told_at(double x) const {
  QStringList lines;
  for (const telemetry::Event& event : session_.bench().history().events())
    if (!event.text.empty() && std::abs(x_of(event.step) - x) <= kReach)
      lines << QString::fromStdString(views::event_text(event));
  for (const std::int64_t step : session_.bench().checkpoints())
    if (std::abs(x_of(step) - x) <= kReach)
      lines << tr("checkpoint at %1").arg(QString::fromStdString(views::step_text(step)));
  if (lines.isEmpty()) return QString::fromStdString(views::step_text(step_at(x)));
  constexpr int kMost = 6;
  if (lines.size() > kMost) lines = lines.mid(0, kMost) << tr("…");
  return lines.join(QLatin1Char('\n'));
}

void TimeTrack::paintEvent(QPaintEvent*) {
  const views::Palette& palette = session_.palette();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const double middle = height() / 2.0, left = x_of(minimum()), right = x_of(maximum()), head = x_of(value());
  painter.setPen(Qt::NoPen);
  painter.setBrush(to_qt(palette.line));
  painter.drawRoundedRect(QRectF(left, middle - 2, right - left, 4), 2, 2);
  if (!isEnabled()) return;
  painter.setBrush(to_qt(palette.accent));
  painter.drawRoundedRect(QRectF(left, middle - 2, head - left, 4), 2, 2);
  paint_checkpoints(painter);
  paint_marks(painter);
  painter.setPen(QPen(to_qt(hasFocus() ? palette.text : palette.accent), 2));
  painter.setBrush(to_qt(hasFocus() ? palette.accent : palette.text));
  painter.drawEllipse(QPointF(head, middle), kHead, kHead);
}

void TimeTrack::paint_marks(QPainter& painter) const {
  const views::Palette& palette = session_.palette();
  double before = -1;
  for (const telemetry::Event& event : session_.bench().history().events()) {
    const bool stage = event.kind == telemetry::Event::Kind::kStageSwitch;
    const double x = std::round(x_of(event.step)) + 0.5;
    if (x == before && !stage) continue;  // one line for all that fall on a pixel
    before = x;
    QPen pen(to_qt(stage ? palette.text : palette.text.with_alpha(0.5)), stage ? 1.5 : 1);
    if (stage) pen.setDashPattern({2.5, 1.5});
    painter.setPen(pen);
    painter.drawLine(QPointF(x, 2), QPointF(x, stage ? height() - 2.0 : height() / 2.0 - 3));
  }
}

void TimeTrack::paint_checkpoints(QPainter& painter) const {
  painter.setPen(Qt::NoPen);
  painter.setBrush(to_qt(session_.palette().muted));
  const double base = height() - 2.0;
  for (const std::int64_t step : session_.bench().checkpoints()) {
    const double x = x_of(step);
    painter.drawPolygon(QPolygonF({{x - 3.5, base}, {x + 3.5, base}, {x, base - 5}}));
  }
}

void TimeTrack::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  setSliderDown(true);
  setValue(as_value(step_at(event->position().x())));
}

void TimeTrack::mouseMoveEvent(QMouseEvent* event) {
  if (isSliderDown()) setValue(as_value(step_at(event->position().x())));
}

void TimeTrack::mouseReleaseEvent(QMouseEvent*) { setSliderDown(false); }

bool TimeTrack::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QSlider::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  QToolTip::showText(help->globalPos(), told_at(help->pos().x()), this);
  return true;
}

}  // namespace moescope::app
