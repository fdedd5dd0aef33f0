#pragma once
// One sample of the gallery: title, method, and what one sees. A button as a whole. Threads: UI thread only.

#include <QAbstractButton>

#include "app/desktop/session.h"

namespace moescope::app {

class SampleCard : public QAbstractButton {
  Q_OBJECT
 public:
  SampleCard(Session& session, const QString& title, const QString& method, const QString& line,
             QWidget* parent = nullptr);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return {150, sizeHint().height()}; }

 protected:
  void paintEvent(QPaintEvent*) override;
  void keyPressEvent(QKeyEvent*) override;
  void enterEvent(QEnterEvent*) override { update(); }
  void leaveEvent(QEvent*) override { update(); }

 private:
  Session& session_;
  QString method_;
  QString line_;
};

}  // namespace moescope::app
