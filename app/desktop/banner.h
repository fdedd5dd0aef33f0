#pragma once
// A calm line over the views when something is to be said about the run as a whole: its corpus is being prepared, it
// failed, it finished. Threads: UI thread only.

#include <QFrame>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>

#include "app/desktop/session.h"

namespace moescope::app {

class Banner : public QFrame {
  Q_OBJECT
 public:
  explicit Banner(Session& session, QWidget* parent = nullptr);
  QString text() const { return text_->text(); }
  /// What "Copy message" copies.
  static QString failure_text(const bus::RunStatus& status);

 Q_SIGNALS:
  void new_run_wanted();

 private:
  void refresh();
  void show_failure();
  void show_finish();
  void show_preparation();
  void show_held_up();

  Session& session_;
  QLabel* text_;
  QProgressBar* bar_;
  QPushButton* copy_;
  QPushButton* again_;
  QPushButton* dismiss_;
  bool dismissed_ = false;
};

}  // namespace moescope::app
