#include "app/desktop/actions.h"

#include <QWidget>

#include "views/scene/ghosts.h"

namespace moescope::app {

Actions::Actions(Session& session, QWidget* window) : QObject(window), session_(session), window_(window) {
  make_run_actions();
  make_file_actions();
  connect(&session_, &Session::arrived, this, &Actions::refresh);
  connect(&session_, &Session::selection_changed, this, &Actions::refresh);
  refresh();
}

QString Actions::with_key(const QString& text, const QAction& action) {
  const QString key = action.shortcut().toString(QKeySequence::NativeText);
  return key.isEmpty() ? text : QStringLiteral("%1 (%2)").arg(text, key);
}

QAction* Actions::make(const QString& text, const QString& tip, const QKeySequence& key) {
  auto* action = new QAction(text, window_);
  if (!key.isEmpty()) action->setShortcut(key);
  action->setAutoRepeat(false);
  window_->addAction(action);
  set_tip(action, tip);
  return action;
}

void Actions::set_tip(QAction* action, const QString& tip) { action->setToolTip(with_key(tip, *action)); }

void Actions::make_run_actions() {
  pause = make(tr("Run"), tr("Run or pause"), Qt::Key_Space);
  step = make(tr("Step"), tr("Train one step, then pause; in the past: one step on"), Qt::Key_Period);
  step->setAutoRepeat(true);
  undo = make(tr("Undo"), tr("Take back the last change of a setting, a lock or the stage"), QKeySequence::Undo);
  stop = make(tr("Stop"), tr("Stop the run at its next step; its state stays on screen"), {});
  freeze_router = make(tr("Freeze router"), tr("Hold the router of the chosen layer still"), Qt::Key_F);
  pin = make(tr("Pin assignment"), tr("Let the layer's student decide, for good"), {});
  next_stage = make(tr("Next stage"), tr("Switch to the next stage now"), Qt::Key_N);
  follow_live = make(tr("Follow live"), tr("Show the newest step again"), Qt::Key_End);
  step_back = make(tr("One step back"), tr("Look at the step before"), Qt::Key_Comma);
  step_back->setAutoRepeat(true);
  difference = make(tr("Difference to other run"),
                    tr("Show loads and probe as this run's difference to another's, run after run"), Qt::Key_D);
  clear_ghosts = make(tr("Remove other runs"), tr("Take the curves of other runs off the pictures"), {});
  connect(step_back, &QAction::triggered, &session_, &Session::step_back);
  connect(difference, &QAction::triggered, &session_, [this] {
    session_.selection().against = views::next_against(session_.view_context());
    session_.selection_touched();
  });
  connect(clear_ghosts, &QAction::triggered, &session_, [this] {
    session_.selection().against.reset();
    session_.bench().clear_ghosts();
    session_.selection_touched();
  });
  connect(pause, &QAction::triggered, &session_, &Session::toggle_pause);
  connect(step, &QAction::triggered, &session_, &Session::step_once);
  connect(undo, &QAction::triggered, &session_, &Session::undo);
  connect(freeze_router, &QAction::triggered, &session_,
          [this] { session_.toggle_router(session_.selection().layer); });
  connect(pin, &QAction::triggered, &session_, [this] { session_.toggle_pin(session_.selection().layer); });
  connect(next_stage, &QAction::triggered, &session_, &Session::next_stage);
  connect(follow_live, &QAction::triggered, &session_, &Session::follow_live);
  connect(stop, &QAction::triggered, &session_, &Session::stop);
}

void Actions::make_file_actions() {
  new_run = make(tr("New run…"), tr("Set up a run in a form"), QKeySequence::New);
  open_text = make(tr("Open text file…"), tr("Train on a text file of your own"), {});
  open_folder = make(tr("Open text folder…"), tr("Train on a folder; each sub-folder is a class of its own"), {});
  open_config = make(tr("Open configuration…"), tr("Start from a TOML file"), QKeySequence::Open);
  open_run =
      make(tr("Open run…"), tr("Look at a recorded run, go on with it, fork it"), Qt::CTRL | Qt::SHIFT | Qt::Key_O);
  compare = make(tr("Compare with run…"), tr("Show another recorded run's curves behind this one's"), {});
  export_picture = make(tr("Export picture…"), tr("Save the chosen picture as PNG or SVG"), Qt::CTRL | Qt::Key_E);
  go_on = make(tr("Continue"), tr("Go on training from the last recorded step"), {});
  fork = make(tr("Fork here"), tr("A new run from this step, paused, so that you can change something"), {});
  restore = make(tr("Go back to here"), tr("Go on from this step; what came after stays in its own record"), {});
  save_config = make(tr("Save configuration as…"), tr("Write this run's configuration as TOML"), QKeySequence::Save);
  save_weights = make(tr("Save weights as…"), tr("Write the model's weights as safetensors"), {});
  quit = make(tr("Quit"), tr("Close the lab"), QKeySequence::Quit);
  welcome = make(tr("Welcome page"), tr("Samples and recent files"), {});
  sentence = make(tr("Try a sentence"), tr("Type a sentence and see where its tokens go"), Qt::Key_T);
  keys = make(tr("Keys"), tr("All keys"), Qt::Key_Question);
  about = make(tr("About MoEScope"), tr("What this is"), {});
}

void Actions::refresh() {
  const bool live = session_.unfinished();
  const bus::RunState state = session_.status().state;
  const bool preparing = state == bus::RunState::kIdle;
  const bool stopping = state == bus::RunState::kStopping;
  const bool started = session_.status().step > 0;
  pause->setText(session_.running() ? tr("Pause") : started ? tr("Run") : tr("Start"));
  pause->setEnabled(live && !stopping);
  step->setEnabled((live && !stopping && !preparing) || session_.selection().step);
  stop->setEnabled(live && !stopping);
  undo->setEnabled(live && session_.bench().can_undo());
  save_config->setEnabled(session_.bench().config() != nullptr);
  // A finished run still answers; a failed one does not.
  const bool answers = session_.bench().active() && !stopping && !preparing && state != bus::RunState::kFailed;
  save_weights->setEnabled(answers);
  sentence->setEnabled(answers);
  follow_live->setText(session_.viewing() ? tr("To the end") : tr("Follow live"));
  follow_live->setEnabled(session_.selection().step.has_value());
  const int stages = session_.run() ? static_cast<int>(session_.run()->stages.size()) : 0;
  next_stage->setEnabled(live && session_.live().stage + 1 < stages);
  refresh_router();
  refresh_record();
}

void Actions::refresh_record() {
  const telemetry::RunInfo* run = session_.run();
  const bool recorded = run && !run->folder.empty() && session_.bench().config();
  const bool some = recorded && session_.frame();
  const bool ended = !session_.unfinished();
  const LoadedRun* loaded = session_.bench().loaded();
  const bool barred = session_.viewing() && (loaded->being_written || !loaded->obstacle.empty());
  const bool complete = recorded && session_.status().step >= session_.bench().config()->train.steps;
  go_on->setEnabled(recorded && ended && !complete && !barred);
  fork->setEnabled(some && session_.status().state != bus::RunState::kStopping);
  restore->setEnabled(some && !ended && session_.selection().step.has_value());
  step_back->setEnabled(session_.frame() != nullptr);
  compare->setEnabled(session_.frame() != nullptr);
  clear_ghosts->setEnabled(!session_.bench().ghosts().empty());
  refresh_difference();
  export_picture->setEnabled(run != nullptr);
}

void Actions::refresh_difference() {
  const views::ViewContext context = session_.view_context();
  difference->setEnabled(!views::ghosts_with_same_experts(context).empty());
  const std::optional<std::string> next = views::next_against(context);
  // A menu takes "&" for the mark of its key.
  const auto name = [&] { return QString::fromStdString(*next).replace(QLatin1Char('&'), QLatin1String("&&")); };
  if (next) {
    difference->setText(tr("Difference to %1").arg(name()));
  } else {
    difference->setText(difference->isEnabled() ? tr("No difference") : tr("Difference to other run"));
  }
}

void Actions::refresh_router() {
  const bool live = session_.unfinished() && session_.run() && session_.run()->num_layers > 0;
  const int layer = session_.selection().layer;
  const config::MethodInfo* method = session_.method();
  const bool frozen = session_.router_frozen(layer);
  freeze_router->setText(frozen ? tr("Unfreeze router") : tr("Freeze router"));
  freeze_router->setEnabled(live && method && method->traits.router_learns);
  const QString of_layer = tr("layer %1").arg(layer + 1);
  if (method && !method->traits.router_learns) {
    set_tip(freeze_router, tr("%1 has no router that learns").arg(QString::fromStdString(method->title)));
  } else {
    set_tip(freeze_router, frozen ? tr("Let the router of %1 learn again").arg(of_layer)
                                  : tr("Hold the router of %1 still").arg(of_layer));
  }
  const bool student = method && method->traits.has_student;
  const bool choices = method && method->traits.token_choice;
  pin->setEnabled(live && (student || choices));
  pin->setText(session_.assignment_pinned(layer) ? tr("Unpin assignment") : tr("Pin assignment"));
  if (student) {
    set_tip(pin, tr("The student of %1 decides and cannot change").arg(of_layer));
  } else if (choices) {
    set_tip(pin, tr("Distil what %1 chooses into a table by token, and let the table decide").arg(of_layer));
  } else {
    set_tip(pin, method ? tr("%1 does not choose experts token by token").arg(QString::fromStdString(method->title))
                        : tr("No run yet"));
  }
}

}  // namespace moescope::app
