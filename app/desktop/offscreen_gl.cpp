#include "app/desktop/offscreen_gl.h"

#include <QObject>
#include <QSurfaceFormat>

#include <cstring>

namespace moescope::app {
namespace {

#ifndef GL_BGRA
constexpr GLenum GL_BGRA = 0x80E1;
#endif

}  // namespace

OffscreenGl::OffscreenGl() {
  QSurfaceFormat format;
  format.setRenderableType(QSurfaceFormat::OpenGL);
  format.setVersion(3, 3);
  format.setProfile(QSurfaceFormat::CoreProfile);
  format.setSwapInterval(0);
  context_.setFormat(format);
  if (!context_.create()) {
    why_ = QObject::tr(
        "OpenGL could not be started. Install libgl1-mesa-dri, which draws in software where there is no GPU.");
    return;
  }
  surface_.setFormat(context_.format());
  surface_.create();
  if (!make_current()) {
    why_ = QObject::tr("OpenGL started, but there is no surface to draw on.");
    return;
  }
  if (context_.format().version() < qMakePair(3, 3)) {
    why_ = QObject::tr("OpenGL 3.3 is needed, this machine offers %1.%2.")
               .arg(context_.format().majorVersion())
               .arg(context_.format().minorVersion());
    return;
  }
  renderer_ = QString::fromUtf8(reinterpret_cast<const char*>(functions().glGetString(GL_RENDERER)));
  usable_ = true;
}

OffscreenGl::~OffscreenGl() {
  if (context_.isValid()) context_.doneCurrent();
}

bool OffscreenGl::make_current() {
  return QOpenGLContext::currentContext() == &context_ || context_.makeCurrent(&surface_);
}

bool OffscreenTarget::render(OffscreenGl& gl, QSize pixels, views::Color ground, const std::function<void()>& draw) {
  if (pixels.isEmpty() || !gl.make_current()) return false;
  if (!buffer_ || buffer_->size() != pixels) {
    buffer_ = std::make_unique<QOpenGLFramebufferObject>(pixels);
    image_ = QImage(pixels, QImage::Format_RGB32);
    upside_down_.resize(static_cast<std::size_t>(pixels.width()) * static_cast<std::size_t>(pixels.height()));
  }
  if (!buffer_->bind()) return false;
  QOpenGLFunctions& functions = gl.functions();
  functions.glViewport(0, 0, pixels.width(), pixels.height());
  functions.glDisable(GL_SCISSOR_TEST);
  const auto part = [](std::uint8_t value) { return static_cast<float>(value) / 255.0F; };
  functions.glClearColor(part(ground.r), part(ground.g), part(ground.b), 1);
  functions.glClear(GL_COLOR_BUFFER_BIT);
  draw();
  buffer_->bind();
  read_back(functions);
  buffer_->release();
  return true;
}

void OffscreenTarget::read_back(QOpenGLFunctions& gl) {
  const QSize size = image_.size();
  // RGB32 keeps its bytes as BGRA on the machines we run on. OpenGL counts rows from the bottom.
  gl.glPixelStorei(GL_PACK_ALIGNMENT, 4);
  gl.glReadPixels(0, 0, size.width(), size.height(), GL_BGRA, GL_UNSIGNED_BYTE, upside_down_.data());
  const auto row_bytes = static_cast<std::size_t>(size.width()) * sizeof(std::uint32_t);
  for (int y = 0; y < size.height(); ++y) {
    const auto from = static_cast<std::size_t>(size.height() - 1 - y) * static_cast<std::size_t>(size.width());
    std::memcpy(image_.scanLine(y), upside_down_.data() + from, row_bytes);
  }
}

}  // namespace moescope::app
