#pragma once
// The line at the bottom tells the truth: step, speed, stage, fluctuation, what watching costs, what got lost, what it
// runs on, where it is kept. At most four times a second. Threads: UI thread only.

#include <QElapsedTimer>
#include <QLabel>
#include <QStatusBar>

#include "app/desktop/session.h"

namespace moescope::app {

class StatusLine : public QStatusBar {
  Q_OBJECT
 public:
  explicit StatusLine(Session& session, QWidget* parent = nullptr);
  /// A short word that gives way after a few seconds.
  void notice(const QString& text);
  QString left_text() const { return left_->text(); }
  QString right_text() const { return right_->text(); }

 private:
  void refresh();
  void show_right(const QString& text, Qt::TextElideMode cut, int most);
  void show_notice() { show_right(notice_, Qt::ElideRight, width() / 2); }
  QString figures() const;
  QString state_words() const;
  QString exactness() const;
  QString where() const;
  void measure_speed();

  Session& session_;
  QLabel* left_;
  QLabel* right_;
  QElapsedTimer since_notice_;
  QString notice_;
  double steps_per_second_ = 0;
  double watch_share_ = 0;
  std::int64_t speed_step_ = 0;
  QElapsedTimer since_speed_;
};

}  // namespace moescope::app
