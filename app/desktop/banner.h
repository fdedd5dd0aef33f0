#pragma once
// A calm line over the views when something is to be said about the run as a whole: it is being read, its corpus is
// being prepared, it failed, it finished, it is trained elsewhere, its record ends early or is damaged.
// Threads: UI thread only.

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
  QPushButton& continue_button() { return *continue_; }
  QPushButton& cancel_button() { return *cancel_; }
  /// What "Copy message" copies.
  static QString failure_text(const bus::RunStatus& status);

 Q_SIGNALS:
  void new_run_wanted();
  void go_on_wanted();

 private:
  /// What there is to say now; an empty text: nothing.
  struct Message {
    QString text;
    bool warning = false;
    double progress = -2;  ///< 0 to 1; −1: under way, unknown how far; −2: nothing goes on
    bool failure = false, can_go_on = false, can_begin_anew = false, can_dismiss = false, can_cancel = false;
  };
  Message message() const;
  Message of_preparation() const;
  Message of_finish() const;
  Message of_record() const;
  bool can_go_on() const;
  void refresh();

  Session& session_;
  QLabel* text_;
  QProgressBar* bar_;
  QPushButton* copy_;
  QPushButton* continue_;
  QPushButton* again_;
  QPushButton* cancel_;
  QPushButton* dismiss_;
  QString dismissed_;  ///< what was read and closed
};

}  // namespace moescope::app
