#pragma once
// A plain QWidget that shows a canvas: passes Qt's events on, draws off screen when something changed, and paints the
// image. Hidden it costs nothing. Threads: UI thread only.

#include <QElapsedTimer>
#include <QWidget>

#include "app/canvas/canvas.h"
#include "app/desktop/offscreen_gl.h"
#include "app/desktop/session.h"

namespace moescope::app {

class CanvasWidget : public QWidget {
  Q_OBJECT
 public:
  CanvasWidget(Session& session, OffscreenGl& gl, std::unique_ptr<views::View> view, QWidget* parent = nullptr);
  ~CanvasWidget() override;

  Canvas& canvas() { return canvas_; }
  const views::View& view() const { return canvas_.view(); }
  /// On screen now, neither hidden nor behind another tab.
  bool shown() const;
  /// Called at every tick: draws when there is something new to see.
  void tick();
  /// Draws at the next tick whatever the history says.
  void touch() { fresh_ticks_ = kInputTicks; }
  /// Frames drawn since the start, for tests and figures.
  std::uint64_t frames_drawn() const { return frames_drawn_; }
  /// What was drawn last, in device pixels, without the focus frame.
  const QImage& picture() const { return target_.image(); }
  double draw_ms() const { return draw_ms_; }
  /// Milliseconds between repaints that new frames cause.
  int interval_ms() const;
  QSize sizeHint() const override { return {420, 260}; }
  QSize minimumSizeHint() const override { return {120, 80}; }

 Q_SIGNALS:
  void drawn();

 protected:
  void paintEvent(QPaintEvent*) override;
  void resizeEvent(QResizeEvent*) override { touch(); }
  void showEvent(QShowEvent*) override { touch(); }
  void mouseMoveEvent(QMouseEvent*) override;
  void mousePressEvent(QMouseEvent*) override;
  void mouseReleaseEvent(QMouseEvent*) override;
  void mouseDoubleClickEvent(QMouseEvent*) override;
  void wheelEvent(QWheelEvent*) override;
  void leaveEvent(QEvent*) override;
  void keyPressEvent(QKeyEvent*) override;
  void keyReleaseEvent(QKeyEvent*) override;
  void focusInEvent(QFocusEvent*) override;
  void focusOutEvent(QFocusEvent*) override;
  void inputMethodEvent(QInputMethodEvent*) override;
  QVariant inputMethodQuery(Qt::InputMethodQuery query) const override;
  void contextMenuEvent(QContextMenuEvent*) override;
  bool event(QEvent*) override;

 private:
  static constexpr int kInputTicks = 3;

  void draw();
  void after_draw();
  bool navigated(const QKeyEvent& event);
  views::Vec2 canvas_point(QPointF at) const;
  void pass_modifiers(Qt::KeyboardModifiers modifiers);

  Session& session_;
  OffscreenGl& gl_;
  Canvas canvas_;
  OffscreenTarget target_;
  std::uint64_t drawn_version_ = ~std::uint64_t{0};
  QElapsedTimer since_drawn_;
  int fresh_ticks_ = kInputTicks;
  std::uint64_t frames_drawn_ = 0;
  double draw_ms_ = 0;
};

}  // namespace moescope::app
