#pragma once
// Every command of the window as a QAction with its key, made once; menus, tool bar and shortcuts show the same ones.
// Threads: UI thread only.

#include <QAction>
#include <QObject>

#include "app/desktop/session.h"

namespace moescope::app {

class Actions : public QObject {
  Q_OBJECT
 public:
  Actions(Session& session, QWidget* window);

  // What the session does by itself.
  QAction* pause;
  QAction* step;
  QAction* undo;
  QAction* stop;
  QAction* freeze_router;
  QAction* pin;
  QAction* next_stage;
  QAction* step_back;
  QAction* follow_live;
  QAction* difference;
  QAction* clear_ghosts;
  // What the window connects.
  QAction* new_run;
  QAction* open_text;
  QAction* open_folder;
  QAction* open_config;
  QAction* open_run;
  QAction* compare;
  QAction* export_picture;
  QAction* go_on;
  QAction* fork;
  QAction* restore;
  QAction* save_config;
  QAction* save_weights;
  QAction* quit;
  QAction* welcome;
  QAction* sentence;
  QAction* keys;
  QAction* about;

  /// Texts and what is enabled, from the session's state.
  void refresh();

  /// "Pause the run (Space)"
  static QString with_key(const QString& text, const QAction& action);

 private:
  QAction* make(const QString& text, const QString& tip, const QKeySequence& key);
  void make_run_actions();
  void make_file_actions();
  void set_tip(QAction* action, const QString& tip);
  void refresh_router();
  void refresh_record();
  void refresh_difference();

  Session& session_;
  QWidget* window_;
};

}  // namespace moescope::app
