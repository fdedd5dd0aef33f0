#pragma once
// A tool bar button that shows its action with icon, text and key: "❚❚ Pause Space". Threads: UI thread only.

#include <QAbstractButton>
#include <QAction>

#include <functional>

#include "app/desktop/icons.h"
#include "app/desktop/session.h"

namespace moescope::app {

class ActionButton : public QAbstractButton {
  Q_OBJECT
 public:
  enum class Look { kPlain, kPrimary };
  /// `show_key`: the action's shortcut stands beside the text.
  ActionButton(Session& session, QAction* action, Icon icon, Look look = Look::kPlain, bool show_key = true,
               QWidget* parent = nullptr);
  void set_icon(Icon icon);
  /// Strong outline in the accent colour: this is held, locked, pending.
  void set_held(bool held);
  /// Without text, for narrow windows.
  void set_compact(bool compact);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent*) override;
  void keyPressEvent(QKeyEvent*) override;
  void enterEvent(QEnterEvent*) override { update(); }
  void leaveEvent(QEvent*) override { update(); }

 private:
  void follow_action();
  QString shown_text() const;
  QString shown_key() const;

  Session& session_;
  QAction* action_;
  Icon icon_;
  Look look_;
  bool show_key_;
  bool held_ = false;
  bool compact_ = false;
};

}  // namespace moescope::app
