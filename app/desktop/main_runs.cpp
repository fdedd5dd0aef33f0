// The window and recorded runs: opened, gone on with, left at a step for another.
#include <QFileDialog>
#include <QFileInfo>

#include "app/desktop/main_window.h"
#include "app/desktop/run_files.h"

namespace moescope::app {

void MainWindow::open_recorded_run() {
  const QString path = QFileDialog::getExistingDirectory(this, tr("Open a recorded run"), runs_folder());
  if (path.isEmpty()) return;
  if (const Status opened = open(path); !opened) report(tr("Open run"), opened.error());
}

void MainWindow::view_run(const QString& path) {
  ask_to_stop(tr("Stop and open this one"), [this, path] {
    remember_folder();
    folder_.clear();
    session_.open_run(path);
    show_lab();
  });
}

void MainWindow::compare_with_run() {
  const QString path = QFileDialog::getExistingDirectory(this, tr("Compare with a recorded run"), runs_folder());
  if (!path.isEmpty()) session_.compare_with(path);
}

void MainWindow::run_opened() {
  const LoadedRun* run = session_.bench().loaded();
  if (run) remember_file(QString::fromStdString(run->folder));
  welcome_->refresh_recent();
}

void MainWindow::go_on() {
  const telemetry::RunInfo* run = session_.run();
  const config::RunConfig* config = session_.bench().config();
  if (!run || !config || run->folder.empty() || session_.unfinished()) return;
  train::RunRequest request = make_request(*config, run->config_toml, session_.methods());
  request.folder = run->folder;
  request.origin = train::Origin{train::Origin::Use::kContinue, run->folder};
  // Never to be taken away, though it stands at step 0 until it is prepared.
  launch(std::move(request), {});
}

void MainWindow::fork(const train::Origin& from, bool paused) {
  const config::RunConfig* config = session_.bench().config();
  if (!config || from.folder.empty()) return;
  train::RunRequest request =
      make_request(*config, session_.run() ? session_.run()->config_toml : std::string(), session_.methods());
  request.origin = from;
  request.start_paused = paused;
  const std::string folder = request.folder;
  launch(std::move(request), folder);
}

void MainWindow::fork_here() {
  if (!session_.run()) return;
  const train::Origin from{train::Origin::Use::kFork, session_.run()->folder, session_.shown_step()};
  ask_to_stop(tr("Stop and fork"), [this, from] { fork(from, true); });
}

// Going back is no end of anything: the run that is left keeps its record, so nobody is asked.
void MainWindow::restore(const std::string& folder, std::int64_t step, std::int64_t commands) {
  fork({train::Origin::Use::kFork, folder, step, commands}, !session_.running());
}

void MainWindow::launch(train::RunRequest request, std::string folder) {
  if (!ring_) ring_ = train::make_snapshot_ring();
  request.ring = ring_;
  const bool paused = request.start_paused;
  const bool returns = request.origin.has_value();
  remember_folder();
  folder_ = std::move(folder);
  start_when_ready_ = false;
  session_.start(std::move(request));
  if (!paused || returns) show_lab();
}

}  // namespace moescope::app
