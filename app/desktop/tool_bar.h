#pragma once
// The big three and their neighbours: run, step, undo; the stage strip; freeze, pin, sentence; the layouts.
// Threads: UI thread only.

#include <QToolBar>

#include "app/desktop/action_button.h"
#include "app/desktop/actions.h"
#include "app/desktop/segmented.h"

namespace moescope::app {

class ToolBar : public QToolBar {
  Q_OBJECT
 public:
  ToolBar(Session& session, Actions& actions, QWidget* parent = nullptr);
  Segmented& stages() { return *stages_; }
  Segmented& layouts() { return *layouts_; }
  ActionButton& pause_button() { return *pause_; }
  ActionButton& freeze_button() { return *freeze_; }

 protected:
  void resizeEvent(QResizeEvent*) override;

 private:
  void refresh();
  void refresh_stages();
  void add_gap(int pixels);

  Session& session_;
  ActionButton* pause_;
  ActionButton* step_;
  ActionButton* undo_;
  Segmented* stages_;
  QAction* stages_action_;  ///< a tool bar hides a widget through its action only
  ActionButton* freeze_;
  ActionButton* pin_;
  ActionButton* sentence_;
  Segmented* layouts_;
};

}  // namespace moescope::app
