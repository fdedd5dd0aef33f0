#pragma once
// The window: menus, tool bar, welcome page or docks, status line; which run starts when, and what is asked first.
// Threads: UI thread only. It asks the trainer to stop and goes on; it never waits for it.

#include <QMainWindow>
#include <QStackedWidget>

#include <functional>
#include <memory>
#include <optional>

#include "app/desktop/actions.h"
#include "app/desktop/banner.h"
#include "app/desktop/lab_area.h"
#include "app/desktop/offscreen_gl.h"
#include "app/desktop/run_form.h"
#include "app/desktop/session.h"
#include "app/desktop/status_line.h"
#include "app/desktop/time_strip.h"
#include "app/desktop/tool_bar.h"
#include "app/desktop/welcome_page.h"

namespace moescope::app {

enum class ThemeChoice { kFollow, kDark, kLight };

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  /// Does not start anything: call prepare_default() or open(), then show().
  MainWindow(Methods methods, StartTrainer start_trainer, std::vector<std::unique_ptr<views::View>> views);
  ~MainWindow() override;

  Session& session() { return session_; }
  Actions& actions() { return *actions_; }
  ToolBar& tool_bar() { return *tool_bar_; }
  LabArea& lab() { return *lab_; }
  WelcomePage& welcome() { return *welcome_; }
  Banner& banner() { return *banner_; }
  StatusLine& status_line() { return *status_; }
  OffscreenGl& gl() { return gl_; }
  bool on_welcome_page() const { return stack_->currentWidget() == welcome_; }

  /// The default run, prepared and paused behind the welcome page.
  void prepare_default();
  /// A configuration is started; a text file or folder opens the form with it.
  Status open(const QString& path, bool paused = false);
  void start(config::RunConfig config, std::string source_text, bool paused);
  RunForm* open_form();
  /// Reads a recorded run and shows it.
  void view_run(const QString& path);
  /// The run on screen goes on in its own folder, from its last recorded step.
  void go_on();
  /// Goes on from a step of a recorded run, that on screen or one it was forked from, as a new run.
  void fork(const train::Origin& from, bool paused);
  /// A fork that waits, so that something can be changed before it goes on.
  void fork_here();
  /// A fork that is what the present run would be at that step: running when it runs.
  void restore(const std::string& folder, std::int64_t step, std::int64_t commands = train::Origin::kNewest);
  /// The picture of a view as PNG or SVG, by the name's ending; an empty text, or what is wrong.
  QString export_picture(const CanvasWidget& canvas, const QString& path) const;
  /// A dialog that says it as sentences, what can be done below them.
  void report(const QString& title, const Diagnostics& why);
  void report(const QString& title, const QString& text, const QString& more = {});
  TimeStrip& time_strip() { return *time_strip_; }
  void show_lab();
  void show_welcome();
  void set_theme(ThemeChoice choice);
  /// Closes without asking, as soon as the run has stopped; the program ends with `exit_code`.
  void close_when_stopped(int exit_code = 0);

 protected:
  void closeEvent(QCloseEvent*) override;
  void dragEnterEvent(QDragEnterEvent*) override;
  void dropEvent(QDropEvent*) override;
  void changeEvent(QEvent*) override;

 private:
  // main_window.cpp
  void build(std::vector<std::unique_ptr<views::View>> views);
  void connect_all();
  void on_tick();
  void on_space();
  void refresh_title();
  /// Runs `then` at once, or after a person agreed to stop the unfinished run.
  void ask_to_stop(const QString& agree, std::function<void()> then);
  void remember_folder();
  // main_menus.cpp
  void build_menus();
  void build_file_menu();
  void build_view_menu();
  void add_theme_menu(QMenu& menu);
  void add_text_menu(QMenu& menu);
  void fill_recent(QMenu& menu);
  void add_layer_keys();
  void set_text_size(double scale);
  // main_runs.cpp
  void open_recorded_run();
  void compare_with_run();
  void run_opened();
  void launch(train::RunRequest request, std::string folder);
  // main_files.cpp
  void open_text_file();
  void open_text_folder();
  void open_config_file();
  void open_form_with_text(const QString& path);
  void save_config();
  void save_weights();
  void choose_picture();

  OffscreenGl gl_;
  Session session_;
  Actions* actions_;
  ToolBar* tool_bar_;
  QStackedWidget* stack_;
  WelcomePage* welcome_;
  LabArea* lab_;
  Banner* banner_;
  TimeStrip* time_strip_;
  StatusLine* status_;
  QLabel* run_name_;
  ThemeChoice theme_choice_ = ThemeChoice::kFollow;
  QPalette desktop_palette_;
  bool closing_ = false;
  int exit_code_ = 0;
  bool start_when_ready_ = false;  ///< Space came while the prepared run was not ready yet
  std::string folder_;             ///< of the current run, when it is this window's to take away untouched
  std::shared_ptr<train::SnapshotRing> ring_;
  std::vector<std::string> untouched_;  ///< run folders to take away once their trainer has ended
};

}  // namespace moescope::app
