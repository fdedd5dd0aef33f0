#include "app/desktop/lab_area.h"

#include <QApplication>
#include <QSettings>
#include <QTabBar>
#include <QTimer>

#include <algorithm>
#include <utility>

namespace moescope::app {
namespace {

// Grows when docks are added or renamed, so that an old layout is not forced onto a new window.
constexpr int kLayoutVersion = 1;
const QString kLayoutKey = QStringLiteral("layout");

}  // namespace

LabArea::LabArea(Session& session, OffscreenGl& gl, std::vector<std::unique_ptr<views::View>> views, QWidget* parent)
    : QMainWindow(parent), session_(session) {
  setWindowFlags(Qt::Widget);  // a QMainWindow makes itself a window of its own
  setObjectName(QStringLiteral("lab"));
  setDockNestingEnabled(true);
  setDockOptions(AllowNestedDocks | AllowTabbedDocks);
  setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::South);
  setContentsMargins(6, 6, 6, 6);
  controls_ = new ControlsPanel(session, this);
  journal_ = new JournalPanel(session, this);
  add_dock(QStringLiteral("controls"), tr("Controls"),
           tr("What can be changed while the run goes on. Values stand as the trainer confirmed them; a change takes "
              "effect at the next step and stands in the journal."),
           controls_);
  add_dock(QStringLiteral("journal"), tr("Journal"),
           tr("Every command with the step it was applied at, who gave it, and what came of it."), journal_)
      ->set_subtitle(tr("commands, effects"));
  for (std::unique_ptr<views::View>& view : views) {
    const QString id = QString::fromStdString(view->id()), title = QString::fromStdString(view->title());
    const QString help = QString::fromStdString(view->help());
    auto* canvas = new CanvasWidget(session, gl, std::move(view), this);
    canvases_.push_back(canvas);
    add_dock(id, title, help, canvas);
  }
  apply_layout(Layout::kSteer);
  connect(&session_, &Session::slow_tick, this, &LabArea::refresh_heads);
  connect(&session_, &Session::ticked, this, &LabArea::refresh_wants);
  connect(&session_, &Session::selection_changed, this, &LabArea::refresh_heads);
  connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
    if (const auto found = std::find(canvases_.begin(), canvases_.end(), now); found != canvases_.end())
      last_focus_ = *found;
  });
}

CanvasWidget* LabArea::focused_canvas() const {
  if (last_focus_ && last_focus_->shown()) return last_focus_;
  const auto found =
      std::find_if(canvases_.begin(), canvases_.end(), [](const CanvasWidget* canvas) { return canvas->shown(); });
  return found == canvases_.end() ? nullptr : *found;
}

Dock* LabArea::add_dock(const QString& id, const QString& title, const QString& help, QWidget* content) {
  auto* dock = new Dock(session_, QStringLiteral("dock_") + id, title, help, content, this);
  docks_.push_back(dock);
  return dock;
}

Dock* LabArea::dock(const QString& id) const {
  for (Dock* dock : docks_)
    if (dock->objectName() == QStringLiteral("dock_") + id) return dock;
  return nullptr;
}

CanvasWidget* LabArea::canvas(const QString& view_id) const {
  for (CanvasWidget* canvas : canvases_)
    if (canvas->objectName() == view_id) return canvas;
  return nullptr;
}

void LabArea::place_docks() {
  for (Dock* dock : docks_) {
    dock->setFloating(false);
    removeDockWidget(dock);
  }
  const auto named = [this](const char* id) { return dock(QString::fromLatin1(id)); };
  Dock *controls = named("controls"), *flow = named("flow"), *load = named("load");
  addDockWidget(Qt::LeftDockWidgetArea, controls);
  const auto split = [this](Dock* beside, Dock* added, Qt::Orientation orientation) {
    if (beside && added) splitDockWidget(beside, added, orientation);
  };
  // Columns first, then rows, then the cells of each row: so the sizes nest as in the default picture.
  split(controls, flow, Qt::Horizontal);
  split(controls, named("journal"), Qt::Vertical);
  split(flow, load, Qt::Vertical);
  split(load, named("loss"), Qt::Vertical);
  split(flow, named("fluctuation"), Qt::Horizontal);
  split(load, named("sphere"), Qt::Horizontal);
  const auto stack = [this](Dock* front, Dock* behind) {
    if (!front || !behind) return;
    tabifyDockWidget(front, behind);
  };
  stack(load, named("tokens"));
  stack(named("sphere"), named("sentence"));
  for (Dock* one : docks_) {
    if (dockWidgetArea(one) == Qt::NoDockWidgetArea) addDockWidget(Qt::LeftDockWidgetArea, one);
    one->show();
  }
  for (Dock* front : {load, named("sphere")})
    if (front) front->raise();
}

void LabArea::size_docks(Layout layout) {
  const auto pair = [this](const char* a, const char* b, int first, int second, Qt::Orientation orientation) {
    Dock *one = dock(QString::fromLatin1(a)), *other = dock(QString::fromLatin1(b));
    if (one && other && one->isVisibleTo(this) && other->isVisibleTo(this))
      resizeDocks({one, other}, {first, second}, orientation);
  };
  const int wide = width(), high = height();
  const int left = layout == Layout::kWatch ? 0 : std::clamp(wide * 18 / 100, 236, 290);
  if (left > 0) resizeDocks({dock(QStringLiteral("controls"))}, {left}, Qt::Horizontal);
  pair("flow", "fluctuation", (wide - left) / 2, (wide - left) / 2, Qt::Horizontal);
  pair("load", "sphere", (wide - left) / 2, (wide - left) / 2, Qt::Horizontal);
  const int upper = high < 720 ? 68 : 62;
  pair("controls", "journal", high * upper / 100, high * (100 - upper) / 100, Qt::Vertical);
  Dock *flow = dock(QStringLiteral("flow")), *load = dock(QStringLiteral("load")), *loss = dock(QStringLiteral("loss"));
  if (flow && load && loss)
    resizeDocks({flow, load, loss}, {high * 48 / 100, high * 31 / 100, high * 21 / 100}, Qt::Vertical);
}

void LabArea::apply_layout(Layout layout) {
  place_docks();
  const bool steer = layout == Layout::kSteer;
  for (const char* id : {"controls", "journal"}) dock(QString::fromLatin1(id))->setVisible(steer);
  unsized_ = layout;
  if (isVisible()) showEvent(nullptr);
  Q_EMIT layout_applied(static_cast<int>(layout));
}

// Docks get their sizes once the area has its own, one turn of the event loop after it appears.
void LabArea::showEvent(QShowEvent* event) {
  if (event) QMainWindow::showEvent(event);
  if (!unsized_) return;
  QTimer::singleShot(0, this, [this] {
    if (unsized_) size_docks(*std::exchange(unsized_, std::nullopt));
  });
}

bool LabArea::restore_layout() {
  const QByteArray state = QSettings().value(kLayoutKey).toByteArray();
  if (state.isEmpty() || !restoreState(state, kLayoutVersion)) return false;
  unsized_.reset();
  return true;
}

void LabArea::keep_layout() const { QSettings().setValue(kLayoutKey, saveState(kLayoutVersion)); }

void LabArea::raise_view(const QString& view_id) {
  Dock* found = dock(view_id);
  if (!found) return;
  found->show();
  found->raise();
  found->content()->setFocus(Qt::OtherFocusReason);
}

void LabArea::refresh_heads() {
  const views::ViewContext context = session_.view_context();
  for (CanvasWidget* canvas : canvases_)
    if (canvas->shown())
      dock(canvas->objectName())->set_subtitle(QString::fromStdString(canvas->view().subtitle(context)));
  const config::MethodInfo* method = session_.method();
  dock(QStringLiteral("controls"))->set_subtitle(method ? QString::fromStdString(method->paper) : QString());
  // Qt makes these bars when docks are stacked, and cuts their words where there is room enough.
  for (QTabBar* bar : findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly)) {
    bar->setElideMode(Qt::ElideNone);
    bar->setDrawBase(false);
    bar->setExpanding(false);
  }
}

void LabArea::refresh_wants() {
  const views::ViewContext context = session_.view_context();
  telemetry::Wants all;
  for (const CanvasWidget* canvas : canvases_) {
    if (!canvas->shown()) continue;
    const telemetry::Wants one = canvas->view().wants(context);
    all.expert_tokens = all.expert_tokens || one.expert_tokens;
    all.space_layers |= one.space_layers;
  }
  // The list of experts shows the words each one attracts.
  all.expert_tokens = all.expert_tokens || controls_->experts().isVisible();
  session_.set_wants(all);
}

}  // namespace moescope::app
