#include "app/desktop/action_button.h"

#include <QKeyEvent>
#include <QPainter>

#include "app/desktop/theme.h"

namespace moescope::app {
namespace {

constexpr double kText = 12;
constexpr double kKey = 11;
constexpr double kIcon = 13;
constexpr double kPadding = 12;
constexpr double kGap = 7;
constexpr double kHeight = 32;

}  // namespace

ActionButton::ActionButton(Session& session, QAction* action, Icon icon, Look look, bool show_key, QWidget* parent)
    : QAbstractButton(parent), session_(session), action_(action), icon_(icon), look_(look), show_key_(show_key) {
  setFocusPolicy(Qt::TabFocus);
  setCursor(Qt::PointingHandCursor);
  connect(this, &QAbstractButton::clicked, action_, &QAction::trigger);
  connect(action_, &QAction::changed, this, &ActionButton::follow_action);
  connect(&session_, &Session::theme_changed, this, [this] { updateGeometry(); });
  follow_action();
}

void ActionButton::follow_action() {
  const QSize before = sizeHint();
  setText(action_->text());
  setToolTip(action_->toolTip());
  setAccessibleName(action_->text());
  setAccessibleDescription(action_->toolTip());
  setEnabled(action_->isEnabled());
  if (sizeHint() != before) updateGeometry();
  update();
}

void ActionButton::set_icon(Icon icon) {
  if (icon == icon_) return;
  icon_ = icon;
  update();
}

void ActionButton::set_held(bool held) {
  if (held == held_) return;
  held_ = held;
  update();
}

void ActionButton::set_compact(bool compact) {
  if (compact == compact_) return;
  compact_ = compact;
  updateGeometry();
  update();
}

QString ActionButton::shown_text() const { return compact_ && icon_ != Icon::kNone ? QString() : text(); }

QString ActionButton::shown_key() const {
  return show_key_ ? action_->shortcut().toString(QKeySequence::NativeText) : QString();
}

QSize ActionButton::sizeHint() const {
  const QFontMetricsF strong(text_font(kText, true)), plain(text_font(kKey));
  double width = 2 * kPadding * text_scale();
  if (icon_ != Icon::kNone) width += (kIcon + (shown_text().isEmpty() ? 0 : kGap)) * text_scale();
  width += strong.horizontalAdvance(shown_text());
  if (!shown_key().isEmpty()) width += kGap * text_scale() + plain.horizontalAdvance(shown_key());
  return {static_cast<int>(width + 0.5), scaled(kHeight)};
}

void ActionButton::paintEvent(QPaintEvent*) {
  const views::Palette& palette = session_.palette();
  const bool primary = look_ == Look::kPrimary && isEnabled();
  const views::Color ground = primary ? palette.accent : palette.input;
  QColor ink = to_qt(primary ? palette.text_on(palette.accent) : palette.text);
  QColor faint = to_qt(primary ? palette.text_on(palette.accent).with_alpha(0.65) : palette.muted);
  if (!isEnabled()) ink = faint = to_qt(palette.muted.with_alpha(0.6));
  const bool marked = underMouse() || hasFocus();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setBrush(to_qt(ground));
  const views::Color edge = held_ || hasFocus() ? palette.accent : marked ? palette.muted : palette.line;
  painter.setPen(QPen(to_qt(primary && !hasFocus() ? palette.accent : hasFocus() ? palette.text : edge), 1));
  painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
  double x = kPadding * text_scale();
  if (icon_ != Icon::kNone) {
    const double side = kIcon * text_scale();
    const QColor color = held_ ? to_qt(palette.accent) : ink;
    paint_icon(painter, icon_, QRectF(x, (height() - side) / 2, side, side), color);
    x += side + (shown_text().isEmpty() ? 0 : kGap * text_scale());
  }
  painter.setFont(text_font(kText, true));
  painter.setPen(ink);
  painter.drawText(QRectF(x, 0, width(), height()), Qt::AlignVCenter, shown_text());
  x += QFontMetricsF(text_font(kText, true)).horizontalAdvance(shown_text()) + kGap * text_scale();
  painter.setFont(text_font(kKey));
  painter.setPen(faint);
  painter.drawText(QRectF(x, 0, width(), height()), Qt::AlignVCenter, shown_key());
}

// The space bar pauses the run wherever the focus is; Enter presses the button.
void ActionButton::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    click();
  } else {
    QAbstractButton::keyPressEvent(event);
  }
}

}  // namespace moescope::app
