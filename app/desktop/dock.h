#pragma once
// A dock that looks like the picture: a head with bold title, muted subtitle, help, float and close; a body with one
// line around it. Threads: UI thread only.

#include <QDockWidget>
#include <QLabel>

#include "app/desktop/session.h"

namespace moescope::app {

class Dock : public QDockWidget {
  Q_OBJECT
 public:
  /// Takes ownership of `content`. `id` is what the layout is stored under.
  Dock(Session& session, const QString& id, const QString& title, const QString& help, QWidget* content,
       QWidget* parent = nullptr);
  void set_subtitle(const QString& text);
  QString subtitle() const { return subtitle_; }
  QWidget* content() const { return content_; }

 protected:
  void resizeEvent(QResizeEvent*) override;
  void enterEvent(QEnterEvent*) override { show_buttons(true); }
  void leaveEvent(QEvent*) override { show_buttons(false); }

 private:
  QWidget* make_head(const QString& help);
  void elide();
  void show_buttons(bool shown);

  Session& session_;
  QWidget* content_;
  QLabel* title_label_;
  QLabel* subtitle_label_;
  QString subtitle_;
  std::vector<QWidget*>
      buttons_;  ///< seen while the pointer is over the dock; the View menu and the keyboard need none
};

}  // namespace moescope::app
