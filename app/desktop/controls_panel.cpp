#include "app/desktop/controls_panel.h"

#include <QScrollArea>
#include <QVBoxLayout>

namespace moescope::app {

ControlsPanel::ControlsPanel(Session& session, QWidget* parent) : QWidget(parent), session_(session) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(11, 9, 8, 4);
  column->setSpacing(4);
  title_ = new QLabel(this);
  title_->setTextFormat(Qt::RichText);
  summary_ = new QLabel(this);
  summary_->setProperty("role", "small");
  summary_->setWordWrap(true);
  layers_ = new Segmented(tr("Layer"), this);
  layers_->set_quiet(true);
  column->addWidget(title_);
  column->addWidget(summary_);
  column->addWidget(layers_);
  parameters_ = new QWidget(this);
  parameter_column_ = new QVBoxLayout(parameters_);
  parameter_column_->setContentsMargins(0, 4, 3, 0);
  parameter_column_->setSpacing(1);
  experts_head_ = new QLabel(tr("EXPERTS · right click to freeze"), this);
  experts_head_->setProperty("role", "small");
  experts_ = new ExpertList(session, this);
  column->addWidget(parameters_);
  column->addSpacing(4);
  column->addWidget(experts_head_);
  column->addWidget(experts_, 1);
  connect(layers_, &Segmented::picked, &session_, &Session::select_layer);
  connect(&session_, &Session::slow_tick, this, &ControlsPanel::refresh);
  connect(&session_, &Session::selection_changed, this, &ControlsPanel::refresh);
  connect(&session_, &Session::run_started, this, &ControlsPanel::refresh);
  refresh();
}

ParameterRow* ControlsPanel::row(const std::string& key) const {
  for (ParameterRow* row : rows_)
    if (row->key() == key) return row;
  return nullptr;
}

void ControlsPanel::rebuild() {
  const config::MethodInfo* method = session_.method();
  const std::string wanted = method ? method->id : std::string();
  if (wanted == built_for_) return;
  built_for_ = wanted;
  qDeleteAll(rows_);
  rows_.clear();
  if (!method) return;
  // The learning rate first, the method's own next, what is common to all last.
  std::vector<ParameterRow*> own, common;
  for (const config::Schema& schema : config::run_schema(*method))
    for (const config::FieldSpec& spec : schema.fields) {
      if (!spec.live || spec.type == config::ValueType::kText) continue;
      auto* row = new ParameterRow(session_, schema.section + '.' + spec.key, spec, parameters_);
      (schema.section == "moe.router" ? own : common).push_back(row);
    }
  const auto lr =
      std::stable_partition(common.begin(), common.end(), [](auto* row) { return row->key() == "train.lr"; });
  rows_.insert(rows_.end(), common.begin(), lr);
  rows_.insert(rows_.end(), own.begin(), own.end());
  rows_.insert(rows_.end(), lr, common.end());
  for (ParameterRow* row : rows_) parameter_column_->addWidget(row);
}

void ControlsPanel::refresh_head() {
  const config::MethodInfo* method = session_.method();
  const telemetry::RunInfo* run = session_.run();
  if (!method) {
    title_->setText(tr("<b>No run</b>"));
    summary_->setText(tr("Start one, and what can be changed while it goes on stands here."));
  } else {
    const QString place = run && run->num_layers > 0
                              ? tr("layer %1 of %2").arg(session_.selection().layer + 1).arg(run->num_layers)
                              : QString();
    title_->setText(QStringLiteral("<span style='font-size:%3px;font-weight:600'>%1</span> <span>%2</span>")
                        .arg(QString::fromStdString(method->title).toHtmlEscaped(),
                             place.isEmpty() ? QString() : QStringLiteral("· ") + place)
                        .arg(13));
    summary_->setText(QString::fromStdString(method->summary));
  }
  QStringList layers;
  for (int i = 0; run && run->num_layers > 1 && i < run->num_layers; ++i)
    layers << (run->num_layers <= 4 ? tr("layer %1") : QStringLiteral("%1")).arg(i + 1);
  layers_->set_titles(layers);
  layers_->set_current(session_.selection().layer);
  layers_->setVisible(!layers.isEmpty());
}

void ControlsPanel::refresh() {
  rebuild();
  refresh_head();
  for (ParameterRow* row : rows_) row->refresh();
  experts_->refresh();
  const bool some = session_.run() && session_.run()->num_experts > 0;
  experts_head_->setVisible(some);
  experts_->setVisible(some);
}

}  // namespace moescope::app
