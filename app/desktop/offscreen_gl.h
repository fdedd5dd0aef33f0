#pragma once
// The one OpenGL context of all canvases, on a surface nobody sees. Each canvas draws into a framebuffer that is read
// back into an image: the same picture with a GPU, in software, over a remote desktop and in tests.
// Threads: UI thread only.

#include <QImage>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFramebufferObject>
#include <QOpenGLFunctions>
#include <QString>

#include <functional>
#include <memory>
#include <vector>

#include "views/scene/scene.h"

namespace moescope::app {

class OffscreenGl {
 public:
  /// Requires: a QGuiApplication. When it fails, usable() is false and why() says in words what is missing.
  OffscreenGl();
  ~OffscreenGl();
  bool usable() const { return usable_; }
  const QString& why() const { return why_; }
  bool make_current();
  QOpenGLFunctions& functions() { return *context_.functions(); }
  QString renderer() const { return renderer_; }

 private:
  QOffscreenSurface surface_;
  QOpenGLContext context_;
  bool usable_ = false;
  QString why_;
  QString renderer_;
};

/// The framebuffer of one canvas and the image it is read into.
class OffscreenTarget {
 public:
  /// Binds, clears to `ground`, calls `draw`, reads back. False when the context is lost.
  bool render(OffscreenGl& gl, QSize pixels, views::Color ground, const std::function<void()>& draw);
  const QImage& image() const { return image_; }
  /// Requires: the context is current, or was never used.
  void release() { buffer_.reset(); }

 private:
  void read_back(QOpenGLFunctions& gl);

  std::unique_ptr<QOpenGLFramebufferObject> buffer_;
  std::vector<std::uint32_t> upside_down_;
  QImage image_;
};

}  // namespace moescope::app
