// Qt's events on their way into a canvas.
#include <QContextMenuEvent>
#include <QInputMethodEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>

#include "app/desktop/canvas_widget.h"
#include "app/desktop/expert_menu.h"
#include "app/desktop/key_map.h"
#include "app/desktop/theme.h"

namespace moescope::app {
namespace {

constexpr double kWheelStep = 120;  // eighths of a degree in one notch
constexpr double kPixelsPerNotch = 50;

int button_index(Qt::MouseButton button) {
  switch (button) {
    case Qt::LeftButton: return 0;
    case Qt::RightButton: return 1;
    case Qt::MiddleButton: return 2;
    case Qt::BackButton: return 3;
    case Qt::ForwardButton: return 4;
    default: return -1;
  }
}

}  // namespace

views::Vec2 CanvasWidget::canvas_point(QPointF at) const {
  return {static_cast<float>(at.x() / text_scale()), static_cast<float>(at.y() / text_scale())};
}

void CanvasWidget::pass_modifiers(Qt::KeyboardModifiers modifiers) {
  canvas_.modifiers(modifiers & Qt::ControlModifier, modifiers & Qt::ShiftModifier, modifiers & Qt::AltModifier,
                    modifiers & Qt::MetaModifier);
}

void CanvasWidget::mouseMoveEvent(QMouseEvent* event) {
  canvas_.mouse_moved(canvas_point(event->position()));
  touch();
}

void CanvasWidget::mousePressEvent(QMouseEvent* event) {
  pass_modifiers(event->modifiers());
  canvas_.mouse_moved(canvas_point(event->position()));
  canvas_.mouse_button(button_index(event->button()), true);
  touch();
}

void CanvasWidget::mouseReleaseEvent(QMouseEvent* event) {
  canvas_.mouse_moved(canvas_point(event->position()));
  canvas_.mouse_button(button_index(event->button()), false);
  touch();
}

// Qt sends a double click instead of the second press.
void CanvasWidget::mouseDoubleClickEvent(QMouseEvent* event) { mousePressEvent(event); }

void CanvasWidget::wheelEvent(QWheelEvent* event) {
  pass_modifiers(event->modifiers());
  canvas_.mouse_moved(canvas_point(event->position()));
  const QPointF turn = event->pixelDelta().isNull() ? QPointF(event->angleDelta()) / kWheelStep
                                                    : QPointF(event->pixelDelta()) / kPixelsPerNotch;
  canvas_.wheel(static_cast<float>(turn.x()), static_cast<float>(turn.y()));
  touch();
  event->accept();
}

void CanvasWidget::leaveEvent(QEvent*) {
  canvas_.mouse_left();
  unsetCursor();
  touch();
}

bool CanvasWidget::navigated(const QKeyEvent& event) {
  int dx = 0, dy = 0;
  bool enter = false;
  switch (event.key()) {
    case Qt::Key_Left: dx = -1; break;
    case Qt::Key_Right: dx = 1; break;
    case Qt::Key_Up: dy = -1; break;
    case Qt::Key_Down: dy = 1; break;
    case Qt::Key_Return:
    case Qt::Key_Enter: enter = true; break;
    default: return false;
  }
  return canvas_.navigate(session_.view_context(), dx, dy, enter);
}

void CanvasWidget::keyPressEvent(QKeyEvent* event) {
  touch();
  const bool typing = canvas_.wants_text();
  if (!typing && navigated(*event)) return;
  pass_modifiers(event->modifiers());
  const ImGuiKey key = imgui_key(event->key(), event->modifiers() & Qt::KeypadModifier);
  if (key != ImGuiKey_None) canvas_.key(key, true);
  const QString text = event->text();
  if (typing && !text.isEmpty() && text.at(0).isPrint()) canvas_.text(text.toStdString());
  if (!typing && key == ImGuiKey_None) event->ignore();
}

void CanvasWidget::keyReleaseEvent(QKeyEvent* event) {
  touch();
  pass_modifiers(event->modifiers());
  const ImGuiKey key = imgui_key(event->key(), event->modifiers() & Qt::KeypadModifier);
  if (key != ImGuiKey_None && !event->isAutoRepeat()) canvas_.key(key, false);
}

void CanvasWidget::focusInEvent(QFocusEvent* event) {
  canvas_.focus(true);
  touch();
  QWidget::focusInEvent(event);
}

void CanvasWidget::focusOutEvent(QFocusEvent* event) {
  canvas_.focus(false);
  touch();
  QWidget::focusOutEvent(event);
}

void CanvasWidget::inputMethodEvent(QInputMethodEvent* event) {
  if (!event->commitString().isEmpty()) canvas_.text(event->commitString().toStdString());
  touch();
  event->accept();
}

QVariant CanvasWidget::inputMethodQuery(Qt::InputMethodQuery query) const {
  if (query == Qt::ImEnabled) return canvas_.wants_text();
  if (query == Qt::ImCursorRectangle && canvas_.text_cursor()) {
    const views::Rect& at = *canvas_.text_cursor();
    const double scale = text_scale();
    return QRectF(at.x * scale, at.y * scale, at.w * scale, at.h * scale);
  }
  return QWidget::inputMethodQuery(query);
}

void CanvasWidget::contextMenuEvent(QContextMenuEvent* event) {
  const views::Selection& selection = session_.selection();
  const views::HitBox* box = canvas_.view().scene().hit_at(canvas_point(event->pos()));
  int layer = selection.layer, expert = selection.expert.value_or(-1);
  if (event->reason() == QContextMenuEvent::Mouse && box) {
    if (box->hit.layer >= 0) layer = box->hit.layer;
    expert = box->hit.kind == views::Hit::Kind::kExpert ? box->hit.expert : -1;
  }
  // The menu takes the release; without it ImGui would go on dragging.
  canvas_.mouse_button(1, false);
  show_expert_menu(session_, layer, expert, event->globalPos(), this);
  touch();
}

bool CanvasWidget::event(QEvent* event) {
  // While a text field of the canvas is edited, letters and the space bar are text and not shortcuts.
  if (event->type() == QEvent::ShortcutOverride && canvas_.wants_text()) {
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool plain = !(key->modifiers() & (Qt::AltModifier | Qt::MetaModifier));
    const bool edit = !(key->modifiers() & Qt::ControlModifier) ||
                      (key->key() == Qt::Key_Z || key->key() == Qt::Key_A || key->key() == Qt::Key_C ||
                       key->key() == Qt::Key_V || key->key() == Qt::Key_X);
    if (plain && edit) {
      event->accept();
      return true;
    }
  }
  return QWidget::event(event);
}

}  // namespace moescope::app
