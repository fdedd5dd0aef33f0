#include "app/desktop/run_form.h"

#include <QFileDialog>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QMessageBox>
#include <QScrollArea>
#include <QScrollBar>
#include <QVBoxLayout>

#include <utility>

#include "app/desktop/run_files.h"
#include "app/desktop/run_form_check.h"
#include "app/desktop/theme.h"
#include "app/desktop/words.h"

namespace moescope::app {
namespace {

QString section_title(const std::string& section) {
  if (section.empty()) return RunForm::tr("Run");
  if (section == "data") return RunForm::tr("Text");
  if (section == "model") return RunForm::tr("Model");
  if (section == "moe") return RunForm::tr("Experts and routing");
  if (section == "moe.router") return RunForm::tr("Router");
  if (section == "stages") return RunForm::tr("Stages");
  if (section == "train") return RunForm::tr("Training");
  if (section == "probe") return RunForm::tr("Probe");
  if (section == "record") return RunForm::tr("Recording");
  if (section == "decode") return RunForm::tr("Translating");
  return QString::fromStdString(section);
}

std::string full_key(const config::Schema& schema, const config::FieldSpec& spec) {
  return schema.section.empty() ? spec.key : schema.section + '.' + spec.key;
}

}  // namespace

RunForm::RunForm(const Methods& methods, QWidget* parent) : QDialog(parent), methods_(methods) {
  setWindowTitle(tr("New run"));
  setObjectName(QStringLiteral("run_form"));
  resize(scaled(820), scaled(680));
  auto* column = new QVBoxLayout(this);
  scroll_ = new QScrollArea(this);
  scroll_->setWidgetResizable(true);
  scroll_->setFocusPolicy(Qt::NoFocus);
  messages_ = new QLabel(this);
  messages_->setProperty("role", "error");
  messages_->setWordWrap(true);
  column->addWidget(scroll_, 1);
  column->addWidget(messages_);
  size_ = new QLabel(this);
  size_->setProperty("role", "small");
  column->addWidget(size_);
  column->addWidget(make_buttons());
  rebuild();
}

QWidget* RunForm::make_buttons() {
  auto* bar = new QWidget(this);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(0, 4, 0, 0);
  auto* open = new QPushButton(tr("Open…"), bar);
  save_ = new QPushButton(tr("Save as TOML…"), bar);
  auto* cancel = new QPushButton(tr("Cancel"), bar);
  start_ = new QPushButton(tr("Start"), bar);
  start_->setObjectName(QStringLiteral("start"));
  start_->setDefault(true);
  for (QPushButton* button : {open, save_, cancel}) button->setAutoDefault(false);
  row->addWidget(open);
  row->addWidget(save_);
  row->addStretch(1);
  row->addWidget(cancel);
  row->addWidget(start_);
  connect(open, &QPushButton::clicked, this, &RunForm::open_file);
  connect(save_, &QPushButton::clicked, this, &RunForm::save_file);
  connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
  connect(start_, &QPushButton::clicked, this, [this] {
    if (!config_) return;
    const config::RunConfig chosen = *config_;
    accept();
    Q_EMIT start_wanted(chosen);
  });
  return bar;
}

std::string RunForm::method_id() const {
  const auto typed = typed_.find("moe.method");
  return typed == typed_.end() ? config::MoeConfig{}.method : typed->second.toStdString();
}

FieldEditor* RunForm::field(const std::string& key) const {
  for (FieldEditor* field : fields_)
    if (field->key() == key) return field;
  return nullptr;
}

void RunForm::remember_typed() {
  for (const FieldEditor* field : fields_) {
    if (const auto text = field->typed()) {
      typed_[field->key()] = *text;
    } else {
      typed_.erase(field->key());
    }
  }
}

void RunForm::add_section(const config::Schema& schema, QVBoxLayout& column, QWidget* page) {
  auto* title = new QLabel(section_title(schema.section), page);
  title->setProperty("role", "heading");
  column.addWidget(title);
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(8);
  grid->setVerticalSpacing(5);
  grid->setColumnMinimumWidth(0, scaled(150));
  grid->setColumnMinimumWidth(2, scaled(60));
  grid->setColumnMinimumWidth(3, scaled(26));
  grid->setColumnStretch(4, 1);
  for (config::FieldSpec spec : schema.fields) {
    const std::string key = full_key(schema, spec);
    if (key == "moe.method")
      for (const config::MethodInfo& method : methods_.catalogue) spec.choices.push_back(method.id);
    const auto typed = typed_.find(key);
    auto* field =
        new FieldEditor(key, spec, typed == typed_.end() ? std::nullopt : std::optional(typed->second), *grid, page);
    connect(field, &FieldEditor::edited, this, &RunForm::check);
    fields_.push_back(field);
  }
  column.addLayout(grid);
  column.addSpacing(10);
}

void RunForm::rebuild() {
  building_ = true;
  built_for_ = method_id();
  fields_.clear();
  auto* page = new QWidget;
  auto* column = new QVBoxLayout(page);
  column->setContentsMargins(8, 4, 12, 4);
  const config::MethodInfo* method = config::find_method(methods_.catalogue, built_for_);
  for (const config::Schema& schema : method ? config::run_schema(*method) : config::common_schema())
    add_section(schema, *column, page);
  column->addStretch(1);
  const int position = scroll_->verticalScrollBar()->value();
  scroll_->setWidget(page);  // deletes the page before
  scroll_->verticalScrollBar()->setValue(position);
  building_ = false;
  check();
}

std::map<std::string, config::Value> RunForm::values() const {
  std::map<std::string, config::Value> all;
  for (const FieldEditor* field : fields_) all.emplace(field->key(), field->value());
  return all;
}

void RunForm::check() {
  if (building_) return;
  remember_typed();
  if (method_id() != built_for_) {
    // From within the combo box that changed: it must not be deleted under its own signal.
    QMetaObject::invokeMethod(this, &RunForm::rebuild, Qt::QueuedConnection);
    return;
  }
  const FormCheck result = check_form(values(), methods_);
  for (FieldEditor* field : fields_) {
    const auto found = result.errors.find(field->key());
    if (found == result.errors.end()) {
      field->set_error({});
    } else {
      field->set_error(QString::fromStdString(found->second.message), QString::fromStdString(found->second.hint));
    }
  }
  config_ = result.config;
  const RunPlan plan = config_ ? methods_.plan(*config_) : RunPlan();
  size_->setText(config_ ? tr("It will need %1, and leave on disk %2.")
                               .arg(QString::fromStdString(plan.memory), QString::fromStdString(plan.disk))
                         : QString());
  start_->setEnabled(config_.has_value());
  save_->setEnabled(config_.has_value());
  QStringList lines;
  const Diagnostics problems = trains_() ? Diagnostics{} : plan.problems;
  for (const Diagnostic& one : problems) lines << QString::fromStdString(one.message + "; " + one.hint);
  for (const Diagnostic& one : result.elsewhere) lines << QString::fromStdString(one.message);
  messages_->setText(lines.join(QLatin1Char('\n')));
  messages_->setVisible(!lines.isEmpty());
}

void RunForm::judge_memory_unless(std::function<bool()> trains) {
  trains_ = std::move(trains);
  check();
}

void RunForm::set(const std::string& key, const QString& text) {
  typed_[key] = text;
  if (key == "moe.method" && method_id() != built_for_) {
    rebuild();
  } else if (FieldEditor* known = field(key)) {
    known->set_text(text);
  }
}

void RunForm::load(const config::RunConfig& config) {
  const config::MethodInfo* method = config::find_method(methods_.catalogue, config.moe.method);
  if (!method) return;
  typed_.clear();
  for (const auto& [key, value] : config::values_of(config, *method)) {
    const auto* text = std::get_if<std::string>(&value);
    typed_[key] = QString::fromStdString(text ? *text : config::to_text(value));
  }
  rebuild();
}

void RunForm::open_file() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open configuration"), {}, tr("Configurations (*.toml)"));
  if (path.isEmpty()) return;
  const auto config = read_config(path, methods_);
  if (config) {
    remember_file(path);
    load(*config);
  } else {
    const Message why = message_of(config.error());
    QMessageBox box(QMessageBox::Warning, tr("Open configuration"), why.text, QMessageBox::Ok, this);
    box.setTextFormat(Qt::PlainText);
    box.setInformativeText(why.more);
    box.exec();
  }
}

void RunForm::save_file() {
  if (!config_) return;
  const QString name = QString::fromStdString(config_->top.name) + QStringLiteral(".toml");
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Save configuration"), name, tr("Configurations (*.toml)"));
  if (path.isEmpty()) return;
  const QString problem = write_config(path, *config_, methods_);
  if (!problem.isEmpty()) QMessageBox::warning(this, tr("Save configuration"), problem);
}

}  // namespace moescope::app
