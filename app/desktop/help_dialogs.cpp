#include "app/desktop/help_dialogs.h"

#include <QCoreApplication>
#include <QDialog>
#include <QGridLayout>
#include <QLabel>
#include <QMessageBox>

#include "app/desktop/actions.h"
#include "app/desktop/theme.h"

namespace moescope::app {
namespace {

void add_row(QGridLayout& grid, const QString& key, const QString& what, QWidget* parent) {
  const int row = grid.rowCount();
  auto* left = new QLabel(key, parent);
  left->setFont(mono_font(12));
  left->setProperty("role", "strong");
  auto* right = new QLabel(what, parent);
  grid.addWidget(left, row, 0);
  grid.addWidget(right, row, 1);
}

QString without_key(const QAction& action) { return action.toolTip().section(QStringLiteral(" ("), 0, 0); }

}  // namespace

void show_keys(const Actions& actions, QWidget* parent) {
  auto* dialog = new QDialog(parent);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setObjectName(QStringLiteral("keys"));
  dialog->setWindowTitle(QDialog::tr("Keys"));
  auto* grid = new QGridLayout(dialog);
  grid->setHorizontalSpacing(24);
  grid->setVerticalSpacing(6);
  grid->setContentsMargins(20, 16, 24, 18);
  for (const QAction* action :
       {actions.pause, actions.step, actions.next_stage, actions.freeze_router, actions.undo, actions.step_back,
        actions.follow_live, actions.difference, actions.sentence, actions.new_run, actions.open_run,
        actions.open_config, actions.export_picture, actions.save_config, actions.keys, actions.quit})
    add_row(*grid, action->shortcut().toString(QKeySequence::NativeText), without_key(*action), dialog);
  add_row(*grid, QStringLiteral("1 … 9"), QDialog::tr("Choose a layer"), dialog);
  add_row(*grid, QStringLiteral("← → ↑ ↓"), QDialog::tr("In a picture: move from mark to mark"), dialog);
  add_row(*grid, QStringLiteral("Enter"), QDialog::tr("Follow the mark, press the button"), dialog);
  add_row(*grid, QStringLiteral("Esc"), QDialog::tr("In a picture: let go of what is followed"), dialog);
  add_row(*grid, QDialog::tr("Menu"), QDialog::tr("What can be done with an expert"), dialog);
  add_row(*grid, QStringLiteral("Tab"), QDialog::tr("To the next dock"), dialog);
  add_row(*grid, QDialog::tr("Drag"), QDialog::tr("On a time axis: look at an earlier step"), dialog);
  dialog->show();
}

void show_about(QWidget* parent) {
  QMessageBox::about(
      parent, QDialog::tr("About MoEScope"),
      QDialog::tr("<b>MoEScope %1</b><p>A desktop lab for Mixture-of-Experts routing: train a small model on "
                  "real text, watch which expert every token goes to, and steer.</p>"
                  "<p>Built on LibTorch, Qt and Dear ImGui.</p>")
          .arg(QCoreApplication::applicationVersion()));
}

}  // namespace moescope::app
