// Recorded runs: read beside the UI thread, shown like a live one, looked at at any step.
#include "app/desktop/session.h"

#include <algorithm>
#include <utility>

#include "app/workbench/recorded_journal.h"

namespace moescope::app {

void Session::open_run(const QString& path) {
  cancel_loading();
  loads_ghost_ = false;
  if (bench_.active() && run() && same_folder(run()->folder, path.toStdString())) {
    // Its record is whole only once it has stopped.
    waits_ = path.toStdString();
    bench_.stop();
  } else {
    loader_ = std::make_unique<RunLoader>(path.toStdString());
  }
  Q_EMIT arrived();
}

void Session::compare_with(const QString& path) {
  cancel_loading();
  loads_ghost_ = true;
  loader_ = std::make_unique<RunLoader>(path.toStdString());
  Q_EMIT arrived();
}

void Session::cancel_loading() {
  opened_.reset();
  waits_.clear();
  if (!loader_) return;
  loader_->cancel();
  cancelled_.push_back(std::move(loader_));
  Q_EMIT arrived();
}

void Session::poll_loader() {
  std::erase_if(cancelled_, [](const auto& loader) { return loader->ended(); });
  if (!waits_.empty() && !bench_.active()) loader_ = std::make_unique<RunLoader>(std::exchange(waits_, {}));
  if (loader_ && loader_->ended()) {
    const std::unique_ptr<RunLoader> loader = std::move(loader_);
    Result<LoadedRun> run = loader->take();
    if (!run) {
      Q_EMIT open_failed(QString::fromStdString(format(run.error())));
    } else if (loads_ghost_) {
      add_ghost(std::move(*run));
    } else {
      opened_ = std::move(*run);
      bench_.stop();
    }
    Q_EMIT arrived();
  }
  // A run that trained has to be over before another takes its place on screen.
  if (opened_ && !bench_.active()) show_opened();
}

void Session::add_ghost(LoadedRun run) {
  const std::string name = short_run_name(run.folder);
  const telemetry::RunInfo* shown = this->run();
  const bool same = shown && !shown->id.empty() &&
                    (run.facts.parent_id == shown->id || run.facts.id == shown->id ||
                     (!shown->parent_folder.empty() && same_folder(shown->parent_folder, run.folder)));
  bench_.add_ghost({name, std::make_shared<telemetry::History>(std::move(run.history)), same});
  selection_touched();
}

void Session::show_opened() {
  LoadedRun run = std::move(*std::exchange(opened_, std::nullopt));
  forget_run();
  selection_ = {};
  auto config = config::read_run_config(run.facts.config_toml, "config.toml", methods_.catalogue);
  bench_.view(std::move(run), config ? std::optional(*config) : std::nullopt);
  status_ = bench_.status();
  rebuild_live();
  Q_EMIT run_started();
  Q_EMIT arrived();
  Q_EMIT run_opened();
}

std::int64_t Session::first_step() const { return run() ? run()->parent_step : 0; }

std::int64_t Session::last_step() const { return std::max(first_step(), frame() ? frame()->step : 0); }

std::int64_t Session::shown_step() const { return std::min(selection_.step.value_or(last_step()), last_step()); }

void Session::look_at(std::int64_t step) {
  selection_.step = std::clamp(step, first_step(), last_step());
  if (*selection_.step == last_step()) selection_.step.reset();
  selection_touched();
}

bool Session::step_back() {
  const telemetry::ScalarSeries* task = bench_.history().series("task");
  if (!task) return false;
  const auto here = std::lower_bound(task->step.begin(), task->step.end(), shown_step());
  if (here == task->step.begin()) return false;
  look_at(*std::prev(here));
  return true;
}

}  // namespace moescope::app
