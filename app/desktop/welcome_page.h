#pragma once
// What stands in the window before a run: the default run ready to start, samples, recent files, one's own text.
// Threads: UI thread only.

#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QWidget>

#include "app/desktop/run_files.h"
#include "app/desktop/session.h"

class QVBoxLayout;

namespace moescope::app {

class WelcomePage : public QWidget {
  Q_OBJECT
 public:
  WelcomePage(Session& session, std::vector<Sample> samples, QWidget* parent = nullptr);
  QPushButton& start_button() { return *start_; }
  /// Reads the list of recent files again.
  void refresh_recent();

 Q_SIGNALS:
  void start_wanted();
  void open_wanted(const QString& path);
  void open_text_wanted();
  void open_folder_wanted();
  void open_run_wanted();
  void form_wanted();

 private:
  QWidget* make_hero();
  QWidget* make_gallery();
  QWidget* make_side();
  QPushButton* make_link(const QString& text, const QString& tip);
  void refresh();

  Session& session_;
  std::vector<Sample> samples_;
  QLabel* hero_title_ = nullptr;
  QLabel* hero_line_ = nullptr;
  QLabel* activity_ = nullptr;
  QProgressBar* bar_ = nullptr;
  QPushButton* start_ = nullptr;
  QVBoxLayout* recent_ = nullptr;
};

}  // namespace moescope::app
