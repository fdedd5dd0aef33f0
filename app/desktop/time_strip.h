#pragma once
// The line under the pictures: play, the run's time track, which step is looked at, and what can be done from there.
// Threads: UI thread only.

#include <QElapsedTimer>
#include <QFrame>
#include <QLabel>
#include <QPushButton>
#include <QTimer>

#include "app/desktop/actions.h"
#include "app/desktop/time_track.h"

namespace moescope::app {

class TimeStrip : public QFrame {
  Q_OBJECT
 public:
  TimeStrip(Session& session, Actions& actions, QWidget* parent = nullptr);
  TimeTrack& track() { return *track_; }
  QPushButton& play_button() { return *play_; }
  QPushButton& speed_button() { return *speed_; }
  /// The button of `action`; nullptr: it has none here.
  QPushButton* button(const QAction* action) const;
  QString words() const { return words_->text(); }
  bool playing() const { return timer_.isActive(); }

 private:
  void add_button(QAction* action);
  void refresh();
  void refresh_icon();
  void toggle_play();
  void play_on();
  QString told() const;

  Session& session_;
  Actions& actions_;
  QPushButton* play_;
  QPushButton* speed_;
  TimeTrack* track_;
  QLabel* words_;
  std::vector<std::pair<QAction*, QPushButton*>> buttons_;
  QTimer timer_;
  QElapsedTimer since_moved_;
  int speed_index_ = 0;
  double played_ = 0;  ///< the step the head stands at while it plays, with its fraction
};

}  // namespace moescope::app
