#include "app/desktop/tool_bar.h"

#include <QPushButton>

namespace moescope::app {
namespace {

constexpr int kCompactBelow = 1240;  // logical pixels: under this the rarer buttons lose their words

}  // namespace

ToolBar::ToolBar(Session& session, Actions& actions, QWidget* parent)
    : QToolBar(tr("Tool bar"), parent), session_(session) {
  using Look = ActionButton::Look;
  setObjectName(QStringLiteral("tool_bar"));
  setMovable(false);
  setFloatable(false);
  pause_ = new ActionButton(session, actions.pause, Icon::kRun, Look::kPrimary, true, this);
  step_ = new ActionButton(session, actions.step, Icon::kStep, Look::kPlain, true, this);
  undo_ = new ActionButton(session, actions.undo, Icon::kUndo, Look::kPlain, false, this);
  stages_ = new Segmented(tr("Stage"), this);
  freeze_ = new ActionButton(session, actions.freeze_router, Icon::kLockOpen, Look::kPlain, true, this);
  pin_ = new ActionButton(session, actions.pin, Icon::kPin, Look::kPlain, false, this);
  sentence_ = new ActionButton(session, actions.sentence, Icon::kPencil, Look::kPlain, true, this);
  layouts_ = new Segmented(tr("Layout"), this);
  layouts_->set_quiet(true);
  layouts_->set_titles({tr("Watch"), tr("Steer")}, {tr("Pictures only"), tr("Pictures, controls and journal")});
  for (QWidget* widget : {static_cast<QWidget*>(pause_), static_cast<QWidget*>(step_), static_cast<QWidget*>(undo_)})
    addWidget(widget);
  add_gap(16);
  stages_action_ = addWidget(stages_);
  add_gap(16);
  for (ActionButton* button : {freeze_, pin_, sentence_}) addWidget(button);
  auto* stretch = new QWidget(this);
  stretch->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  addWidget(stretch);
  addWidget(layouts_);
  connect(stages_, &Segmented::picked, &session_, &Session::switch_stage);
  connect(&session_, &Session::arrived, this, &ToolBar::refresh);
  connect(&session_, &Session::selection_changed, this, &ToolBar::refresh);
  refresh();
}

void ToolBar::add_gap(int pixels) {
  auto* gap = new QWidget(this);
  gap->setFixedWidth(pixels);
  addWidget(gap);
}

void ToolBar::resizeEvent(QResizeEvent* event) {
  QToolBar::resizeEvent(event);
  for (ActionButton* button : {undo_, pin_}) button->set_compact(width() < kCompactBelow);
}

void ToolBar::refresh() {
  const int layer = session_.selection().layer;
  const bool frozen = session_.router_frozen(layer);
  pause_->set_icon(session_.running() ? Icon::kPause : Icon::kRun);
  freeze_->set_icon(frozen ? Icon::kLockClosed : Icon::kLockOpen);
  freeze_->set_held(frozen || session_.pending(bus::CommandKind::kFreezeRouter, layer));
  pin_->set_held(session_.assignment_pinned(layer));
  refresh_stages();
}

void ToolBar::refresh_stages() {
  QStringList titles, tips;
  const telemetry::RunInfo* run = session_.run();
  const config::MethodInfo* method = session_.method();
  for (std::size_t i = 0; run && i < run->stages.size(); ++i) {
    titles << QStringLiteral("%1 %2").arg(i + 1).arg(QString::fromStdString(run->stages[i]));
    const bool known = method && i < method->stages.size();
    tips << (known ? QString::fromStdString(method->stages[i].help) : QString());
  }
  stages_->set_titles(titles, tips);
  stages_->set_current(titles.isEmpty() ? -1 : session_.live().stage);
  stages_action_->setVisible(titles.size() > 1);
  stages_->setEnabled(session_.unfinished());
}

}  // namespace moescope::app
