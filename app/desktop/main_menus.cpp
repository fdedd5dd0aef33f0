// The window's menus, and the look they choose.
#include <QActionGroup>
#include <QApplication>
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>
#include <QSettings>

#include "app/desktop/help_dialogs.h"
#include "app/desktop/main_window.h"
#include "app/desktop/run_files.h"
#include "app/desktop/theme.h"

namespace moescope::app {
namespace {

constexpr double kTextSizes[] = {0.9, 1.0, 1.15, 1.3, 1.5};

}  // namespace

void MainWindow::build_menus() {
  auto* brand = new QLabel(tr("MoEScope"), this);
  brand->setObjectName(QStringLiteral("brand"));
  brand->setFixedHeight(scaled(24));  // a menu title's height, so that the words stand on one line
  menuBar()->setCornerWidget(brand, Qt::TopLeftCorner);
  run_name_ = new QLabel(this);
  run_name_->setObjectName(QStringLiteral("runname"));
  run_name_->setFixedHeight(scaled(24));
  run_name_->setContentsMargins(0, 0, 10, 0);
  menuBar()->setCornerWidget(run_name_, Qt::TopRightCorner);
  build_file_menu();
  QMenu* run = menuBar()->addMenu(tr("&Run"));
  run->addAction(actions_->new_run);
  run->addSeparator();
  run->addActions({actions_->pause, actions_->step, actions_->stop});
  run->addSeparator();
  run->addActions({actions_->next_stage, actions_->freeze_router, actions_->pin});
  run->addSeparator();
  run->addAction(actions_->undo);
  run->addSeparator();
  run->addActions({actions_->go_on, actions_->fork, actions_->restore});
  run->addSeparator();
  QAction* isolate = run->addAction(tr("Train in a process of its own"));
  isolate->setStatusTip(tr("A crash of the training then leaves this window alive. Acts from the next run on"));
  isolate->setCheckable(true);
  isolate->setChecked(QSettings().value(QStringLiteral("isolate")).toBool());
  connect(isolate, &QAction::toggled, this, [](bool on) { QSettings().setValue(QStringLiteral("isolate"), on); });
  build_view_menu();
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  help->addActions({actions_->keys, actions_->about});
  connect(actions_->keys, &QAction::triggered, this, [this] { show_keys(*actions_, this); });
  connect(actions_->about, &QAction::triggered, this, [this] { show_about(this); });
  add_layer_keys();
}

void MainWindow::build_file_menu() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addActions({actions_->open_run, actions_->open_config, actions_->open_text, actions_->open_folder});
  QMenu* recent = file->addMenu(tr("Open recent"));
  connect(recent, &QMenu::aboutToShow, this, [this, recent] { fill_recent(*recent); });
  fill_recent(*recent);
  file->addSeparator();
  file->addActions({actions_->export_picture, actions_->save_config, actions_->save_weights});
  file->addSeparator();
  file->addActions({actions_->welcome, actions_->quit});
}

void MainWindow::fill_recent(QMenu& menu) {
  menu.clear();
  for (const QString& path : recent_files()) {
    QAction* entry = menu.addAction(QFileInfo(path).fileName(), this, [this, path] {
      if (const Status opened = open(path); !opened) report(tr("Open"), opened.error());
    });
    entry->setToolTip(path);
  }
  if (menu.isEmpty()) menu.addAction(tr("nothing yet"))->setEnabled(false);
}

void MainWindow::build_view_menu() {
  QMenu* view = menuBar()->addMenu(tr("&View"));
  for (Dock* dock : lab_->docks()) {
    QAction* toggle = dock->toggleViewAction();
    connect(toggle, &QAction::triggered, this, [this, dock](bool on) {
      show_lab();
      if (on) dock->raise();
    });
    view->addAction(toggle);
  }
  view->addSeparator();
  view->addAction(tr("Layout: watch"), this, [this] { lab_->apply_layout(Layout::kWatch); });
  view->addAction(tr("Layout: steer (reset)"), this, [this] { lab_->apply_layout(Layout::kSteer); });
  view->addSeparator();
  add_theme_menu(*view->addMenu(tr("Theme")));
  add_text_menu(*view->addMenu(tr("Text size")));
  QAction* motion = view->addAction(tr("Reduce motion"));
  motion->setCheckable(true);
  motion->setChecked(session_.reduce_motion());
  connect(motion, &QAction::toggled, this, [this](bool reduce) {
    session_.set_reduce_motion(reduce);
    QSettings().setValue(QStringLiteral("reduce_motion"), reduce);
  });
  view->addSeparator();
  view->addActions({actions_->compare, actions_->difference, actions_->clear_ghosts});
  view->addSeparator();
  view->addActions({actions_->step_back, actions_->follow_live});
}

void MainWindow::add_theme_menu(QMenu& menu) {
  auto* group = new QActionGroup(&menu);
  const std::pair<ThemeChoice, QString> choices[] = {{ThemeChoice::kFollow, tr("As the desktop")},
                                                     {ThemeChoice::kDark, tr("Dark")},
                                                     {ThemeChoice::kLight, tr("Light")}};
  for (const auto& [choice, text] : choices) {
    QAction* entry = group->addAction(menu.addAction(text));
    entry->setCheckable(true);
    entry->setChecked(choice == theme_choice_);
    connect(entry, &QAction::triggered, this, [this, chosen = choice] {
      QSettings().setValue(QStringLiteral("theme"), static_cast<int>(chosen));
      set_theme(chosen);
    });
  }
}

void MainWindow::add_text_menu(QMenu& menu) {
  auto* group = new QActionGroup(&menu);
  for (const double size : kTextSizes) {
    QAction* entry = group->addAction(menu.addAction(tr("%1 %").arg(qRound(size * 100))));
    entry->setCheckable(true);
    entry->setChecked(qFuzzyCompare(size, text_scale()));
    connect(entry, &QAction::triggered, this, [this, size] { set_text_size(size); });
  }
}

void MainWindow::add_layer_keys() {
  for (int i = 0; i < 9; ++i) {
    auto* key = new QAction(this);
    key->setShortcut(QKeySequence(Qt::Key_1 + i));
    connect(key, &QAction::triggered, this, [this, i] { session_.select_layer(i); });
    addAction(key);
  }
}

void MainWindow::set_text_size(double scale) {
  QSettings().setValue(QStringLiteral("text_scale"), scale);
  set_text_scale(scale);
  set_theme(theme_choice_);
}

void MainWindow::set_theme(ThemeChoice choice) {
  theme_choice_ = choice;
  views::Theme theme = desktop_theme(desktop_palette_);
  if (choice != ThemeChoice::kFollow) theme = choice == ThemeChoice::kDark ? views::Theme::kDark : views::Theme::kLight;
  apply_theme(*static_cast<QApplication*>(QApplication::instance()), views::palette(theme));
  session_.set_theme(theme);
}

}  // namespace moescope::app
