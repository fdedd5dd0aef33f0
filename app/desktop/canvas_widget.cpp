#include "app/desktop/canvas_widget.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QPainter>

#include <algorithm>

#include "app/desktop/theme.h"

namespace moescope::app {
namespace {

// New frames may use a twentieth of a core per canvas; where drawing is slow (software OpenGL) it becomes rarer.
constexpr double kCostShare = 20;

CanvasHost clipboard_host() {
  return {[] { return QGuiApplication::clipboard()->text().toStdString(); },
          [](const std::string& text) { QGuiApplication::clipboard()->setText(QString::fromStdString(text)); }};
}

Qt::CursorShape cursor_shape(ImGuiMouseCursor cursor) {
  switch (cursor) {
    case ImGuiMouseCursor_None: return Qt::BlankCursor;
    case ImGuiMouseCursor_TextInput: return Qt::IBeamCursor;
    case ImGuiMouseCursor_ResizeAll: return Qt::SizeAllCursor;
    case ImGuiMouseCursor_ResizeNS: return Qt::SizeVerCursor;
    case ImGuiMouseCursor_ResizeEW: return Qt::SizeHorCursor;
    case ImGuiMouseCursor_ResizeNESW: return Qt::SizeBDiagCursor;
    case ImGuiMouseCursor_ResizeNWSE: return Qt::SizeFDiagCursor;
    case ImGuiMouseCursor_Hand: return Qt::PointingHandCursor;
    case ImGuiMouseCursor_Wait: return Qt::WaitCursor;
    case ImGuiMouseCursor_Progress: return Qt::BusyCursor;
    case ImGuiMouseCursor_NotAllowed: return Qt::ForbiddenCursor;
    default: return Qt::ArrowCursor;
  }
}

}  // namespace

CanvasWidget::CanvasWidget(Session& session, OffscreenGl& gl, std::unique_ptr<views::View> view, QWidget* parent)
    : QWidget(parent), session_(session), gl_(gl), canvas_(std::move(view), clipboard_host()) {
  setObjectName(QString::fromStdString(canvas_.view().id()));
  setAccessibleName(QString::fromStdString(canvas_.view().title()));
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setAttribute(Qt::WA_OpaquePaintEvent);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  connect(&session_, &Session::ticked, this, &CanvasWidget::tick);
  connect(&session_, &Session::theme_changed, this, &CanvasWidget::touch);
  connect(&session_, &Session::selection_changed, this, &CanvasWidget::touch);
  connect(&session_, &Session::run_started, this, &CanvasWidget::touch);
}

CanvasWidget::~CanvasWidget() {
  if (!gl_.usable() || !gl_.make_current()) return;
  canvas_.release_gl();
  target_.release();
}

// Qt moves a dock behind another tab out of sight without hiding it, so the region that can be seen decides.
bool CanvasWidget::shown() const { return isVisible() && !window()->isMinimized() && !visibleRegion().isEmpty(); }

int CanvasWidget::interval_ms() const {
  return std::max(canvas_.view().min_interval_ms(), static_cast<int>(kCostShare * draw_ms_));
}

void CanvasWidget::tick() {
  if (!shown()) return;
  const bool new_data = drawn_version_ != session_.bench().history().version() &&
                        (!since_drawn_.isValid() || since_drawn_.elapsed() >= interval_ms());
  if (fresh_ticks_ > 0) {
    --fresh_ticks_;
  } else if (!new_data && !canvas_.view().animating() && !canvas_.wants_text()) {
    return;
  }
  draw();
  update();
}

void CanvasWidget::draw() {
  if (!gl_.usable()) return;
  QElapsedTimer timer;
  timer.start();
  const double ratio = devicePixelRatioF();
  const double scale = text_scale();
  const QSize pixels = QSize(qRound(width() * ratio), qRound(height() * ratio));
  drawn_version_ = session_.bench().history().version();
  // The text size enlarges a canvas as a whole: fewer logical pixels, each of them bigger.
  const views::Size logical{static_cast<float>(width() / scale), static_cast<float>(height() / scale)};
  target_.render(gl_, pixels, session_.palette().dock,
                 [&] { canvas_.draw(session_.view_context(), logical, static_cast<float>(ratio * scale)); });
  since_drawn_.restart();
  ++frames_drawn_;
  const double took = static_cast<double>(timer.nsecsElapsed()) / 1e6;
  draw_ms_ = frames_drawn_ <= 2 ? 0 : draw_ms_ == 0 ? took : 0.8 * draw_ms_ + 0.2 * took;  // the first ones make fonts
  after_draw();
}

void CanvasWidget::after_draw() {
  const Qt::CursorShape shape = cursor_shape(canvas_.cursor());
  if (cursor().shape() != shape) setCursor(shape);
  const QString summary = QString::fromStdString(canvas_.view().scene().summary);
  if (summary != accessibleDescription()) setAccessibleDescription(summary);
  if (testAttribute(Qt::WA_InputMethodEnabled) != canvas_.wants_text())
    setAttribute(Qt::WA_InputMethodEnabled, canvas_.wants_text());
  Q_EMIT drawn();
}

void CanvasWidget::paintEvent(QPaintEvent*) {
  const QSize pixels = QSize(qRound(width() * devicePixelRatioF()), qRound(height() * devicePixelRatioF()));
  if (gl_.usable() && target_.image().size() != pixels) draw();
  QPainter painter(this);
  if (!target_.image().isNull()) {
    painter.drawImage(rect(), target_.image());
  } else {
    painter.fillRect(rect(), to_qt(session_.palette().dock));
    painter.setPen(to_qt(session_.palette().muted));
    painter.drawText(rect().adjusted(16, 16, -16, -16), Qt::AlignCenter | Qt::TextWordWrap, gl_.why());
  }
  if (hasFocus()) {
    painter.setPen(to_qt(session_.palette().accent));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

}  // namespace moescope::app
