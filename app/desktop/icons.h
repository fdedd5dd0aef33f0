#pragma once
// Small pictures for buttons, drawn with QPainter in whatever colour is asked for, so that one set serves both themes.
// Threads: UI thread only.

#include <QColor>
#include <QPixmap>

class QPainter;
class QRectF;

namespace moescope::app {

enum class Icon {
  kNone,
  kPause,
  kRun,
  kStep,
  kLockClosed,
  kLockOpen,
  kPin,
  kPencil,
  kUndo,
  kHelp,
  kFloat,
  kClose,
  kFolder
};

void paint_icon(QPainter& painter, Icon icon, const QRectF& box, const QColor& color);

}  // namespace moescope::app
