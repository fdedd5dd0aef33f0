#pragma once
// One live parameter: its name, a box with the value, a slider; or a check box for yes and no. What stands there is
// what the trainer confirmed; while a command is under way it stands there as pending. Threads: UI thread only.

#include <QCheckBox>
#include <QLineEdit>
#include <QSlider>
#include <QTimer>
#include <QWidget>

#include "app/desktop/session.h"

namespace moescope::app {

class ParameterRow : public QWidget {
  Q_OBJECT
 public:
  ParameterRow(Session& session, std::string key, config::FieldSpec spec, QWidget* parent = nullptr);
  /// Shows the confirmed value unless a hand is on it.
  void refresh();
  /// Requires: not a yes-or-no parameter.
  QSlider& slider() { return *slider_; }
  QLineEdit& box() { return *box_; }
  /// nullptr: not a yes-or-no parameter.
  QCheckBox* check() { return check_; }
  const std::string& key() const { return key_; }

 private:
  void make_slider();
  void make_check();
  bool held_by_hand() const;
  void show_value(const config::Value& value);
  void send(double value);
  void send_box();
  double value_at(int position) const;
  int position_of(double value) const;
  QString in_words() const;
  config::Value typed(double value) const;

  Session& session_;
  std::string key_;
  config::FieldSpec spec_;
  double low_ = 0, high_ = 1;  ///< of the slider; the box takes everything the field allows
  QSlider* slider_ = nullptr;
  QLineEdit* box_ = nullptr;
  QCheckBox* check_ = nullptr;
  QTimer settle_;  ///< keys and wheel: sent when they rest
  config::Value shown_ = 0.0;
};

}  // namespace moescope::app
