// Recorded runs: read beside the UI thread, shown like a live one, looked at at any step.
#include "app/desktop/session.h"

#include <algorithm>
#include <utility>

#include "app/workbench/recorded_ghost.h"
#include "app/workbench/recorded_journal.h"
#include "core/record/run_reader.h"

namespace moescope::app {
namespace {

// A record that is being written is read on so often, but reading it takes no more than a tenth of the time.
constexpr std::chrono::seconds kFollowEvery{1};
constexpr int kTimesRead = 10;
// A run that only stands behind another is never gone on with.
constexpr Reading kToShow{.asks_if_it_goes_on = true};

}  // namespace

void Session::start(train::RunRequest request) {
  cancel_loading();
  const bool goes_on = request.origin && request.origin->use == train::Origin::Use::kContinue;
  if (!goes_on || bench_.active() || !run() || !same_folder(run()->folder, request.origin->folder))
    return launch(std::move(request));
  goes_on_ = std::move(request);
  reads_ = Reads::kRest;
  loader_ = std::make_unique<RunLoader>(run()->folder, Reading{.after = last_step()});
  Q_EMIT arrived();
}

void Session::open_run(const QString& path) {
  cancel_loading();
  reads_ = Reads::kRun;
  if (bench_.active() && run() && same_folder(run()->folder, path.toStdString())) {
    // Its record is whole only once it has stopped.
    waits_ = path.toStdString();
    bench_.stop();
  } else {
    loader_ = std::make_unique<RunLoader>(path.toStdString(), kToShow);
  }
  Q_EMIT arrived();
}

void Session::compare_with(const QString& path) {
  if (goes_on_) {
    Q_EMIT noticed(tr("The run is about to go on; compare it then."));
    return;
  }
  cancel_loading();
  reads_ = Reads::kGhost;
  loader_ = std::make_unique<RunLoader>(path.toStdString());
  Q_EMIT arrived();
}

void Session::cancel_loading() {
  opened_.reset();
  goes_on_.reset();
  waits_.clear();
  for (std::unique_ptr<RunLoader>* loader : {&loader_, &follower_}) {
    if (!*loader) continue;
    (*loader)->cancel();
    cancelled_.push_back(std::move(*loader));
  }
  Q_EMIT arrived();
}

void Session::poll_loader() {
  std::erase_if(cancelled_, [](const auto& loader) { return loader->ended(); });
  if (!waits_.empty() && !bench_.active()) loader_ = std::make_unique<RunLoader>(std::exchange(waits_, {}), kToShow);
  if (loader_ && loader_->ended()) {
    const std::unique_ptr<RunLoader> loader = std::move(loader_);
    Result<LoadedRun> run = loader->take();
    if (run) {
      take_loaded(std::move(*run));
    } else if (goes_on_) {
      // Its trainer will say what is wrong with the folder.
      launch(std::move(*std::exchange(goes_on_, std::nullopt)));
    } else {
      Q_EMIT open_failed(run.error());
    }
    Q_EMIT arrived();
  }
  if (parent_ && parent_->ended()) show_parent();
  // A run that trained has to be over before another takes its place on screen.
  if (opened_ && !bench_.active()) show_opened();
}

void Session::take_loaded(LoadedRun run) {
  switch (reads_) {
    case Reads::kRun:
      opened_ = std::move(run);
      bench_.stop();
      break;
    case Reads::kGhost: add_ghost(std::move(run)); break;
    case Reads::kRest: go_on_behind(std::move(run)); break;
  }
}

/// The record of the run on screen is read on by itself while another recorder holds it, and once more when it lets go.
void Session::poll_follower() {
  const auto now = std::chrono::steady_clock::now();
  if (follower_ && follower_->ended()) {
    const std::unique_ptr<RunLoader> follower = std::move(follower_);
    next_look_ =
        now + std::max<std::chrono::steady_clock::duration>(kFollowEvery, kTimesRead * (now - follower_began_));
    Result<LoadedRun> rest = follower->take();
    if (rest) {
      follow_failed_ = false;
      read_on(std::move(*rest));
    } else if (!std::exchange(follow_failed_, true)) {
      // Tried again all the same, but said once: the folder may be away for a moment.
      bench_.no_longer_written();
      Q_EMIT noticed(tr("The run cannot be read on: %1").arg(QString::fromStdString(rest.error().front().message)));
      Q_EMIT arrived();
    }
  }
  if (follower_ || loader_ || opened_ || !viewing() || now < next_look_) return;
  next_look_ = now + kFollowEvery;
  const std::string& folder = bench_.loaded()->folder;
  if (!following() && !record::RunReader::being_written(folder)) return;
  follower_began_ = now;
  follower_ = std::make_unique<RunLoader>(folder, Reading{.after = last_step()});
}

void Session::go_on_behind(LoadedRun rest) {
  train::RunRequest request = std::move(*std::exchange(goes_on_, std::nullopt));
  if (!read_on(std::move(rest))) {
    Q_EMIT noticed(
        tr("The folder holds more than what is on screen, or another run. It is opened; continue it from there."));
  } else if (following()) {
    Q_EMIT noticed(tr("This run is trained elsewhere at this moment, and followed here."));
  } else {
    launch(std::move(request));
  }
}

/// False: the run has to be opened anew, which has begun.
bool Session::read_on(LoadedRun rest) {
  // Another run lies in the folder now, or this one was opened before it had told what it is: nothing on screen fits.
  const bool replaced = rest.facts.id != run()->id;
  if (replaced || (run()->num_layers == 0 && rest.history.run()->num_layers > 0)) {
    open_run(QString::fromStdString(rest.folder));
    return false;
  }
  bench_.read_on(std::move(rest));
  status_ = bench_.status();
  rebuild_live();
  Q_EMIT arrived();
  return true;
}

void Session::add_ghost(LoadedRun run) {
  bench_.add_ghost(ghost_of(std::move(run), this->run()));
  selection_touched();
}

void Session::show_opened() {
  LoadedRun run = std::move(*std::exchange(opened_, std::nullopt));
  forget_run();
  selection_ = {};
  follow_failed_ = false;
  read_parent(run);
  auto config = config::read_run_config(run.facts.config_toml, "config.toml", methods_.catalogue);
  bench_.view(std::move(run), config ? std::optional(*config) : std::nullopt);
  status_ = bench_.status();
  rebuild_live();
  Q_EMIT run_started();
  Q_EMIT arrived();
  Q_EMIT run_opened();
}

/// A fork is seen against the run it left, as when it was made; quietly, where that run is still to be found.
void Session::read_parent(const LoadedRun& fork) {
  if (parent_) parent_->cancel();
  if (parent_) cancelled_.push_back(std::move(parent_));
  const std::string folder = parent_folder(fork);
  if (folder.empty()) return;
  parent_of_ = fork.facts.id;
  parent_id_ = fork.facts.parent_id;
  parent_ = std::make_unique<RunLoader>(folder);
}

void Session::show_parent() {
  const std::unique_ptr<RunLoader> loader = std::move(parent_);
  Result<LoadedRun> parent = loader->take();
  if (parent && parent->facts.id == parent_id_ && run() && run()->id == parent_of_) add_ghost(std::move(*parent));
}

const record::EventRow* Session::recorded_failure() const {
  if (!viewing() || following()) return nullptr;
  return record::failure_at_end(bench_.loaded()->events, bench_.loaded()->last_step);
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
