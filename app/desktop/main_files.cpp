// The window and files: what is opened, what is saved.
#include <QApplication>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QSaveFile>

#include "app/desktop/main_window.h"
#include "app/desktop/run_files.h"
#include "app/desktop/words.h"
#include "views/scene/svg.h"

namespace moescope::app {

Status MainWindow::open(const QString& path, bool paused) {
  const QFileInfo file(path);
  if (!file.exists()) return error("there is no file or folder " + path.toStdString());
  if (is_run(path)) {
    view_run(file.absoluteFilePath());
    return Done{};
  }
  if (file.isDir() || !is_config_file(path)) {
    open_form_with_text(file.absoluteFilePath());
    return Done{};
  }
  const auto config = read_config(path, session_.methods());
  if (!config) return config.error();
  const std::string text = read_text(path);
  remember_file(path);
  const config::RunConfig chosen = *config;
  ask_to_stop(tr("Stop and start this one"), [this, chosen, text, paused] { start(chosen, text, paused); });
  return Done{};
}

RunForm* MainWindow::open_form() {
  auto* form = new RunForm(session_.methods(), this);
  form->setAttribute(Qt::WA_DeleteOnClose);
  form->judge_memory_unless([this] { return session_.bench().active(); });
  if (session_.bench().config()) form->load(*session_.bench().config());
  connect(form, &RunForm::start_wanted, this, [this](const config::RunConfig& config) {
    ask_to_stop(tr("Stop and start this one"), [this, config] { start(config, {}, false); });
  });
  form->show();
  form->start_button().setFocus();
  return form;
}

void MainWindow::open_form_with_text(const QString& path) {
  remember_file(path);
  RunForm* form = open_form();
  form->set("name", QFileInfo(path).completeBaseName());
  form->set("data.corpus", path);
  form->set("data.tokenizer", QStringLiteral("bpe"));
  form->start_button().setFocus();
}

void MainWindow::open_text_file() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Text to train on"));
  if (!path.isEmpty()) open_form_with_text(path);
}

void MainWindow::open_text_folder() {
  const QString path = QFileDialog::getExistingDirectory(this, tr("Folder of texts to train on"));
  if (!path.isEmpty()) open_form_with_text(path);
}

void MainWindow::open_config_file() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open configuration"), {}, tr("Configurations (*.toml)"));
  if (path.isEmpty()) return;
  if (const Status opened = open(path); !opened) report(tr("Open configuration"), opened.error());
}

void MainWindow::save_config() {
  const config::RunConfig* config = session_.bench().config();
  if (!config) return;
  const QString name = QString::fromStdString(config->top.name) + QStringLiteral(".toml");
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Save configuration"), name, tr("Configurations (*.toml)"));
  if (path.isEmpty()) return;
  if (const QString wrong = write_config(path, *config, session_.methods()); !wrong.isEmpty())
    report(tr("Save configuration"), wrong);
}

void MainWindow::save_weights() {
  const QString path = QFileDialog::getSaveFileName(this, tr("Save weights"), QStringLiteral("weights.safetensors"),
                                                    tr("Weights (*.safetensors)"));
  if (path.isEmpty()) return;
  bus::Command command;
  command.kind = bus::CommandKind::kSaveWeights;
  command.text = QDir::current().absoluteFilePath(path).toStdString();
  session_.post(std::move(command));
}

void MainWindow::choose_picture() {
  CanvasWidget* canvas = lab_->focused_canvas();
  if (!canvas) return;
  const QString png = tr("Picture (*.png)"), svg = tr("Drawing (*.svg)");
  const QString name = QStringLiteral("%1-%2").arg(canvas->objectName()).arg(session_.shown_step());
  QString filter = png;
  QString path = QFileDialog::getSaveFileName(this, tr("Export the picture “%1”").arg(canvas->accessibleName()),
                                              name + QStringLiteral(".png"), png + QStringLiteral(";;") + svg, &filter);
  if (path.isEmpty()) return;
  if (QFileInfo(path).suffix().isEmpty()) path += filter == svg ? QStringLiteral(".svg") : QStringLiteral(".png");
  if (const QString wrong = export_picture(*canvas, path); !wrong.isEmpty()) {
    report(tr("Export picture"), wrong);
  } else {
    status_->notice(tr("Saved %1").arg(path));
  }
}

QString MainWindow::export_picture(const CanvasWidget& canvas, const QString& path) const {
  const bool drawing = path.endsWith(QLatin1String(".svg"), Qt::CaseInsensitive);
  if (!drawing && !path.endsWith(QLatin1String(".png"), Qt::CaseInsensitive))
    return tr("A picture is saved as .png or .svg; %1 ends in neither.").arg(QFileInfo(path).fileName());
  QSaveFile file(path);
  bool written = file.open(QIODevice::WriteOnly);
  if (written && drawing) {
    const std::string text = views::to_svg(canvas.view().scene(), session_.palette());
    written = file.write(text.data(), static_cast<qint64>(text.size())) == static_cast<qint64>(text.size());
  } else if (written) {
    written = canvas.picture().save(&file, "PNG");
  }
  if (written && file.commit()) return {};
  return tr("%1 could not be written: %2").arg(path, file.errorString());
}

void MainWindow::report(const QString& title, const Diagnostics& why) {
  const Message message = message_of(why);
  report(title, message.text, message.more);
}

void MainWindow::report(const QString& title, const QString& text, const QString& more) {
  auto* box = new QMessageBox(QMessageBox::Warning, title, text, QMessageBox::Ok, this);
  box->setInformativeText(more);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setTextFormat(Qt::PlainText);
  box->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  box->open();
}

}  // namespace moescope::app
