#include "app/desktop/icons.h"

#include <QPainter>
#include <QPainterPath>

namespace moescope::app {
namespace {

// All icons are drawn on a 14 × 14 grid.
constexpr double kGrid = 14;

void draw_lock(QPainter& painter, bool closed) {
  painter.fillRect(QRectF(2.5, 6.5, 9, 6.5), painter.pen().color());
  QPainterPath shackle;
  const double right = closed ? 10 : 13;
  shackle.moveTo(closed ? 4 : 7, 6.5);
  shackle.lineTo(closed ? 4 : 7, 4.5);
  shackle.cubicTo(closed ? 4 : 7, 0.5, right, 0.5, right, 4.5);
  if (closed) shackle.lineTo(right, 6.5);
  painter.setBrush(Qt::NoBrush);
  painter.drawPath(shackle);
}

void draw_pin(QPainter& painter) {
  painter.setBrush(painter.pen().color());
  painter.setPen(Qt::NoPen);
  painter.drawPolygon(QPolygonF({{4, 1}, {10, 1}, {9, 3}, {9.5, 6.5}, {11.5, 8.5}, {2.5, 8.5}, {4.5, 6.5}, {5, 3}}));
  painter.drawRect(QRectF(6.4, 8.5, 1.2, 5));
}

void draw_pencil(QPainter& painter) {
  painter.setBrush(painter.pen().color());
  painter.setPen(Qt::NoPen);
  painter.drawPolygon(QPolygonF({{1.5, 12.5}, {2.3, 9}, {9, 2.3}, {11.7, 5}, {5, 11.7}}));
  painter.drawPolygon(QPolygonF({{9.8, 1.5}, {10.8, 0.8}, {13.2, 3.2}, {12.5, 4.2}}));
}

void draw_undo(QPainter& painter) {
  painter.setBrush(Qt::NoBrush);
  QPainterPath path;
  path.moveTo(3, 5);
  path.lineTo(8.5, 5);
  path.cubicTo(13, 5, 13, 11.5, 8.5, 11.5);
  path.lineTo(5, 11.5);
  painter.drawPath(path);
  painter.drawPolyline(QPolygonF({{5.5, 2}, {2.5, 5}, {5.5, 8}}));
}

void draw_transport(QPainter& painter, Icon icon) {
  painter.setBrush(painter.pen().color());
  painter.setPen(Qt::NoPen);
  if (icon == Icon::kPause) {
    painter.drawRect(QRectF(3, 2, 3, 10));
    painter.drawRect(QRectF(8, 2, 3, 10));
  } else if (icon == Icon::kRun) {
    painter.drawPolygon(QPolygonF({{3.5, 1.5}, {12, 7}, {3.5, 12.5}}));
  } else {
    painter.drawRect(QRectF(2, 2, 2, 10));
    painter.drawPolygon(QPolygonF({{5, 2}, {11, 7}, {5, 12}}));
    painter.drawRect(QRectF(11, 2, 1.5, 10));
  }
}

void draw_window_mark(QPainter& painter, Icon icon) {
  painter.setBrush(Qt::NoBrush);
  if (icon == Icon::kClose) {
    painter.drawLine(QPointF(4, 4), QPointF(10, 10));
    painter.drawLine(QPointF(10, 4), QPointF(4, 10));
  } else {
    painter.drawRect(QRectF(3.5, 5.5, 5, 5));
    painter.drawPolyline(QPolygonF({{6, 5.5}, {6, 3.5}, {10.5, 3.5}, {10.5, 8}, {8.5, 8}}));
  }
}

void draw_help(QPainter& painter) {
  QFont font = painter.font();
  font.setPixelSize(11);
  font.setWeight(QFont::DemiBold);
  painter.setFont(font);
  painter.drawText(QRectF(0, 0, kGrid, kGrid), Qt::AlignCenter, QStringLiteral("?"));
}

}  // namespace

void paint_icon(QPainter& painter, Icon icon, const QRectF& box, const QColor& color) {
  if (icon == Icon::kNone) return;
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.translate(box.topLeft());
  painter.scale(box.width() / kGrid, box.height() / kGrid);
  painter.setPen(QPen(color, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
  switch (icon) {
    case Icon::kPause:
    case Icon::kRun:
    case Icon::kStep: draw_transport(painter, icon); break;
    case Icon::kLockClosed:
    case Icon::kLockOpen: draw_lock(painter, icon == Icon::kLockClosed); break;
    case Icon::kPin: draw_pin(painter); break;
    case Icon::kPencil: draw_pencil(painter); break;
    case Icon::kUndo: draw_undo(painter); break;
    case Icon::kHelp: draw_help(painter); break;
    case Icon::kFolder:
      painter.drawPolygon(QPolygonF({{1.5, 11.5}, {1.5, 3}, {5.5, 3}, {6.5, 4.5}, {12.5, 4.5}, {12.5, 11.5}}));
      break;
    case Icon::kFloat:
    case Icon::kClose: draw_window_mark(painter, icon); break;
    case Icon::kNone: break;
  }
  painter.restore();
}

}  // namespace moescope::app
