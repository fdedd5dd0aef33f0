#include "app/desktop/expert_menu.h"

#include <QMenu>

#include "app/desktop/session.h"

namespace moescope::app {
namespace {

void add_expert(QMenu& menu, Session& session, int layer, int expert) {
  const bool frozen = session.expert_frozen(layer, expert);
  const QString name = QStringLiteral("L%1·E%2").arg(layer + 1).arg(expert);
  menu.addAction(frozen ? Session::tr("Unfreeze expert %1").arg(name) : Session::tr("Freeze expert %1").arg(name),
                 [&session, layer, expert] { session.toggle_expert(layer, expert); });
  const bool followed = session.selection().layer == layer && session.selection().expert == expert;
  menu.addAction(followed ? Session::tr("Let go of %1").arg(name) : Session::tr("Follow %1").arg(name),
                 [&session, layer, expert, followed] {
                   session.selection().layer = layer;
                   session.selection().expert = followed ? std::nullopt : std::optional<int>(expert);
                   session.selection_touched();
                 });
  menu.addSeparator();
}

}  // namespace

void show_expert_menu(Session& session, int layer, int expert, QPoint at, QWidget* parent) {
  if (!session.run() || session.run()->num_layers <= layer) return;
  auto* menu = new QMenu(parent);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  if (expert >= 0) add_expert(*menu, session, layer, expert);
  const QString router = session.router_frozen(layer) ? Session::tr("Unfreeze the router of layer %1")
                                                      : Session::tr("Freeze the router of layer %1");
  menu->addAction(router.arg(layer + 1), [&session, layer] { session.toggle_router(layer); });
  const config::MethodInfo* method = session.method();
  if (method && (method->traits.has_student || method->traits.token_choice)) {
    const QString pin = session.assignment_pinned(layer) ? Session::tr("Unpin the assignment of layer %1")
                                                         : Session::tr("Pin the assignment of layer %1");
    menu->addAction(pin.arg(layer + 1), [&session, layer] { session.toggle_pin(layer); });
  }
  if (session.selection().step)
    menu->addAction(Session::tr("Follow live again"), [&session] { session.follow_live(); });
  menu->popup(at);
}

}  // namespace moescope::app
