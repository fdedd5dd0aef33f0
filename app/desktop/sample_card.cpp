#include "app/desktop/sample_card.h"

#include <QKeyEvent>
#include <QPainter>
#include <QTextLayout>

#include "app/desktop/theme.h"

namespace moescope::app {
namespace {

constexpr double kPadding = 12;
constexpr int kLines = 3;

/// Draws at most kLines lines of `text`, the last one elided.
void draw_lines(QPainter& painter, const QString& text, const QFont& font, const QRectF& place) {
  QTextLayout layout(text, font);
  const QFontMetricsF metrics(font);
  layout.beginLayout();
  double y = place.y();
  for (int i = 0; i < kLines; ++i, y += metrics.lineSpacing()) {
    QTextLine line = layout.createLine();
    if (!line.isValid()) break;
    line.setLineWidth(place.width());
    // Only the last line may be too long; a trailing space must not count as that.
    QString words = text.mid(line.textStart(), line.textLength());
    if (i + 1 == kLines) words = metrics.elidedText(text.mid(line.textStart()), Qt::ElideRight, place.width());
    painter.drawText(QPointF(place.x(), y + metrics.ascent()), words);
  }
  layout.endLayout();
}

}  // namespace

SampleCard::SampleCard(Session& session, const QString& title, const QString& method, const QString& line,
                       QWidget* parent)
    : QAbstractButton(parent), session_(session), method_(method), line_(line) {
  setText(title);
  setAccessibleName(tr("%1, %2").arg(title, method));
  setAccessibleDescription(line);
  setToolTip(line);
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::PointingHandCursor);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&session_, &Session::theme_changed, this, qOverload<>(&QWidget::update));
}

QSize SampleCard::sizeHint() const {
  const double height = 2 * kPadding + QFontMetricsF(text_font(12.5, true)).lineSpacing() + 4 +
                        kLines * QFontMetricsF(text_font(11)).lineSpacing();
  return {220, static_cast<int>(height + 1)};
}

void SampleCard::paintEvent(QPaintEvent*) {
  const views::Palette& palette = session_.palette();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setBrush(to_qt(underMouse() ? palette.dock_head : palette.dock));
  painter.setPen(to_qt(hasFocus() ? palette.accent : underMouse() ? palette.muted : palette.line));
  painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
  const QFont strong = text_font(12.5, true), small = text_font(11);
  const QFontMetricsF strong_size(strong);
  painter.setFont(strong);
  painter.setPen(to_qt(palette.text));
  painter.drawText(QPointF(kPadding, kPadding + strong_size.ascent()), text());
  painter.setFont(small);
  painter.setPen(to_qt(palette.accent));
  painter.drawText(QPointF(kPadding + strong_size.horizontalAdvance(text()) + 8, kPadding + strong_size.ascent()),
                   method_);
  painter.setPen(to_qt(palette.muted));
  const double top = kPadding + strong_size.lineSpacing() + 4;
  draw_lines(painter, line_, small, QRectF(kPadding, top, width() - 2 * kPadding, height() - top));
}

void SampleCard::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    click();
  } else {
    QAbstractButton::keyPressEvent(event);
  }
}

}  // namespace moescope::app
