#pragma once
// A strip of buttons of which one is filled: stages, layers, layouts. Clicking asks; only set_current() fills.
// Threads: UI thread only.

#include <QFrame>
#include <QStringList>

#include <vector>

class QHBoxLayout;
class QPushButton;

namespace moescope::app {

class Segmented : public QFrame {
  Q_OBJECT
 public:
  explicit Segmented(const QString& accessible_name, QWidget* parent = nullptr);
  /// Filled in grey instead of the accent colour.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  /// No change when the titles are what they were.
  void set_titles(const QStringList& titles, const QStringList& tips = {});
  void set_current(int index);
  int current() const { return current_; }
  int count() const { return static_cast<int>(buttons_.size()); }
  QPushButton* button(int index) { return buttons_[static_cast<std::size_t>(index)]; }

 Q_SIGNALS:
  void picked(int index);

 private:
  QHBoxLayout* row_;
  QStringList titles_;
  std::vector<QPushButton*> buttons_;
  int current_ = -1;
  bool quiet_ = false;
};

}  // namespace moescope::app
