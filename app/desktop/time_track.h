#pragma once
// The run as a line: where the play head stands, where stages were switched, commands given, checkpoints saved. Drag,
// click, arrow keys, Home and End move the head, which is the time cursor of all pictures. Threads: UI thread only.

#include <QSlider>

#include "app/desktop/session.h"

namespace moescope::app {

class TimeTrack : public QSlider {
  Q_OBJECT
 public:
  explicit TimeTrack(Session& session, QWidget* parent = nullptr);
  /// Pixels from the left edge.
  double x_of(std::int64_t step) const;
  std::int64_t step_at(double x) const;
  /// What a pointer at `x` is told: the mark there, else the step.
  QString told_at(double x) const;
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent*) override;
  void mousePressEvent(QMouseEvent*) override;
  void mouseMoveEvent(QMouseEvent*) override;
  void mouseReleaseEvent(QMouseEvent*) override;
  bool event(QEvent*) override;

 private:
  void refresh();
  void paint_marks(QPainter& painter) const;
  void paint_checkpoints(QPainter& painter) const;

  Session& session_;
};

}  // namespace moescope::app
