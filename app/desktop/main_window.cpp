#include "app/desktop/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QSettings>
#include <QVBoxLayout>

#include "app/desktop/run_files.h"
#include "app/desktop/theme.h"
#include "app/workbench/paths.h"
#include "app/workbench/recorded_journal.h"

namespace moescope::app {

MainWindow::MainWindow(Methods methods, StartTrainer start_trainer, std::vector<std::unique_ptr<views::View>> views)
    : session_(std::move(methods), std::move(start_trainer)), desktop_palette_(QApplication::palette()) {
  setWindowTitle(tr("MoEScope"));
  setAcceptDrops(true);
  setMinimumSize(900, 560);
  const QSettings settings;
  set_text_scale(settings.value(QStringLiteral("text_scale"), 1.0).toDouble());
  session_.set_reduce_motion(settings.value(QStringLiteral("reduce_motion"), false).toBool());
  set_theme(static_cast<ThemeChoice>(settings.value(QStringLiteral("theme"), 0).toInt()));
  build(std::move(views));
  connect_all();
  build_menus();
  show_welcome();
}

MainWindow::~MainWindow() {
  // Canvases let go of the GPU, so they go before the context, which is a member and would go before the children.
  delete takeCentralWidget();
}

void MainWindow::build(std::vector<std::unique_ptr<views::View>> views) {
  actions_ = new Actions(session_, this);
  tool_bar_ = new ToolBar(session_, *actions_, this);
  addToolBar(Qt::TopToolBarArea, tool_bar_);
  setContextMenuPolicy(Qt::NoContextMenu);
  stack_ = new QStackedWidget(this);
  welcome_ = new WelcomePage(session_,
                             read_samples(QString::fromStdString(sample_configs_folder()), session_.methods()), stack_);
  auto* lab_page = new QWidget(stack_);
  lab_page->setObjectName(QStringLiteral("page"));
  auto* column = new QVBoxLayout(lab_page);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  banner_ = new Banner(session_, lab_page);
  column->addWidget(banner_);
  lab_ = new LabArea(session_, gl_, std::move(views), lab_page);
  column->addWidget(lab_, 1);
  time_strip_ = new TimeStrip(session_, *actions_, lab_page);
  column->addWidget(time_strip_);
  stack_->addWidget(welcome_);
  stack_->addWidget(lab_page);
  setCentralWidget(stack_);
  status_ = new StatusLine(session_, this);
  setStatusBar(status_);
}

void MainWindow::connect_all() {
  connect(&session_, &Session::ticked, this, &MainWindow::on_tick);
  connect(&session_, &Session::run_started, this, &MainWindow::refresh_title);
  connect(&session_, &Session::slow_tick, this, &MainWindow::refresh_title);
  // On the welcome page the space bar also leads to the pictures.
  disconnect(actions_->pause, &QAction::triggered, &session_, nullptr);
  connect(actions_->pause, &QAction::triggered, this, &MainWindow::on_space);
  connect(actions_->step, &QAction::triggered, this, &MainWindow::show_lab);
  connect(actions_->new_run, &QAction::triggered, this, [this] { open_form(); });
  connect(actions_->open_text, &QAction::triggered, this, &MainWindow::open_text_file);
  connect(actions_->open_folder, &QAction::triggered, this, &MainWindow::open_text_folder);
  connect(actions_->open_config, &QAction::triggered, this, &MainWindow::open_config_file);
  connect(actions_->save_config, &QAction::triggered, this, &MainWindow::save_config);
  connect(actions_->save_weights, &QAction::triggered, this, &MainWindow::save_weights);
  connect(actions_->open_run, &QAction::triggered, this, &MainWindow::open_recorded_run);
  connect(actions_->compare, &QAction::triggered, this, &MainWindow::compare_with_run);
  connect(actions_->export_picture, &QAction::triggered, this, &MainWindow::choose_picture);
  connect(actions_->go_on, &QAction::triggered, this, &MainWindow::go_on);
  connect(actions_->fork, &QAction::triggered, this, &MainWindow::fork_here);
  connect(actions_->restore, &QAction::triggered, this, [this] {
    if (session_.run()) restore(session_.run()->folder, session_.shown_step());
  });
  connect(actions_->quit, &QAction::triggered, this, &QWidget::close);
  connect(actions_->welcome, &QAction::triggered, this, &MainWindow::show_welcome);
  connect(actions_->sentence, &QAction::triggered, this, [this] {
    show_lab();
    lab_->raise_view(QStringLiteral("sentence"));
  });
  connect(welcome_, &WelcomePage::start_wanted, this, &MainWindow::on_space);
  connect(welcome_, &WelcomePage::open_wanted, this, [this](const QString& path) {
    if (const Status opened = open(path); !opened) report(tr("Open"), opened.error());
  });
  connect(welcome_, &WelcomePage::open_text_wanted, this, &MainWindow::open_text_file);
  connect(welcome_, &WelcomePage::open_folder_wanted, this, &MainWindow::open_text_folder);
  connect(welcome_, &WelcomePage::form_wanted, this, [this] { open_form(); });
  connect(welcome_, &WelcomePage::open_run_wanted, this, &MainWindow::open_recorded_run);
  connect(banner_, &Banner::new_run_wanted, this, [this] { open_form(); });
  connect(banner_, &Banner::go_on_wanted, this, &MainWindow::go_on);
  connect(&lab_->journal(), &JournalPanel::restore_wanted, this, &MainWindow::restore);
  connect(&session_, &Session::run_opened, this, &MainWindow::run_opened);
  connect(&session_, &Session::open_failed, this, [this](const Diagnostics& why) { report(tr("Open run"), why); });
  connect(&tool_bar_->layouts(), &Segmented::picked, this, [this](int index) {
    show_lab();
    lab_->apply_layout(static_cast<Layout>(index));
  });
  connect(lab_, &LabArea::layout_applied, &tool_bar_->layouts(), &Segmented::set_current);
}

void MainWindow::on_space() {
  const bool preparing = session_.status().state == bus::RunState::kIdle && session_.bench().active();
  const bool was_away = on_welcome_page();
  show_lab();
  if (was_away && session_.running()) return;  // back to the run, which goes on
  if (preparing) {
    start_when_ready_ = true;
  } else {
    session_.toggle_pause();
  }
}

void MainWindow::on_tick() {
  if (start_when_ready_ && session_.status().state != bus::RunState::kIdle) {
    start_when_ready_ = false;
    if (session_.paused()) session_.toggle_pause();
  }
  if (session_.bench().active()) return;
  for (const std::string& folder : untouched_) remove_untouched(folder);
  untouched_.clear();
  if (closing_) close();
}

void MainWindow::refresh_title() {
  const config::RunConfig* config = session_.bench().config();
  const telemetry::RunInfo* run = session_.run();
  QString name = config ? QString::fromStdString(config->top.name) : QString();
  if (config && run && !run->parent_folder.empty())
    name = tr("%1 · fork of %2 at %3")
               .arg(name, QString::fromStdString(short_run_name(run->parent_folder)))
               .arg(run->parent_step);
  if (run_name_->text() == name) return;
  run_name_->setText(name);
  run_name_->adjustSize();
  menuBar()->adjustSize();  // the corner widget grew
  setWindowTitle(name.isEmpty() ? tr("MoEScope") : tr("%1 · MoEScope").arg(name));
}

void MainWindow::show_lab() {
  if (!on_welcome_page()) return;
  stack_->setCurrentIndex(1);
  // Qt would hand the keyboard to the next editor, where letters are input and no longer shortcuts.
  lab_->raise_view(QStringLiteral("flow"));
  tool_bar_->layouts().setEnabled(true);
}

void MainWindow::show_welcome() {
  stack_->setCurrentWidget(welcome_);
  welcome_->refresh_recent();
  welcome_->start_button().setFocus();
}

void MainWindow::prepare_default() {
  const QString folder = QString::fromStdString(sample_configs_folder());
  const QString path = folder + QLatin1Char('/') + QLatin1String(kDefaultSample);
  const auto config = read_config(path, session_.methods());
  if (config) {
    start(*config, read_text(path), true);
    show_welcome();
  } else {
    status_->notice(
        tr("The default run could not be read: %1").arg(QString::fromStdString(config.error().front().message)));
  }
}

void MainWindow::remember_folder() {
  if (session_.untouched() && !folder_.empty()) untouched_.push_back(folder_);
}

void MainWindow::start(config::RunConfig config, std::string source_text, bool paused) {
  train::RunRequest request = make_request(std::move(config), std::move(source_text), session_.methods());
  request.start_paused = paused;
  const std::string folder = request.folder;
  launch(std::move(request), folder);
}

void MainWindow::ask_to_stop(const QString& agree, std::function<void()> then) {
  if (!session_.unfinished() || session_.untouched()) {
    then();
    return;
  }
  auto* box = new QMessageBox(QMessageBox::Question, tr("The run is not finished"),
                              tr("The run is at step %1 and not finished.").arg(session_.status().step), {}, this);
  box->setObjectName(QStringLiteral("unfinished"));
  box->setAttribute(Qt::WA_DeleteOnClose);
  const telemetry::RunInfo* run = session_.run();
  box->setInformativeText(run && !run->folder.empty()
                              ? tr("It stops at its next step; all of it is recorded in %1 and can be gone on with.")
                                    .arg(QString::fromStdString(run->folder))
                              : tr("It is not recorded: what it learned is lost unless you save the weights first."));
  QPushButton* stop = box->addButton(agree, QMessageBox::AcceptRole);
  QPushButton* keep = box->addButton(tr("Keep running"), QMessageBox::RejectRole);
  box->setDefaultButton(keep);
  box->setEscapeButton(keep);
  connect(stop, &QPushButton::clicked, this, std::move(then));
  box->open();
}

void MainWindow::close_when_stopped(int exit_code) {
  closing_ = true;
  exit_code_ = exit_code;
  remember_folder();
  session_.cancel_loading();
  session_.bench().stop();
  status_->notice(tr("Stopping at the next step, then closing…"));
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (session_.bench().active()) {
    event->ignore();
    if (!closing_) ask_to_stop(tr("Stop and close"), [this] { close_when_stopped(); });
    return;
  }
  lab_->keep_layout();
  QSettings().setValue(QStringLiteral("geometry"), saveGeometry());
  event->accept();
  QApplication::exit(exit_code_);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (urls.isEmpty()) return;
  event->acceptProposedAction();
  const QString path = urls.front().toLocalFile();
  const Status opened =
      path.isEmpty() ? error("only files and folders of this machine can be dropped here") : open(path);
  if (!opened) report(tr("Open"), opened.error());
}

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::ThemeChange && theme_choice_ == ThemeChoice::kFollow) {
    desktop_palette_ = QApplication::style()->standardPalette();
    set_theme(ThemeChoice::kFollow);
  }
}

}  // namespace moescope::app
