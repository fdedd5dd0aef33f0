#pragma once
// The application's one object between widgets and the workbench: polls it at each tick, holds what is selected, and
// turns buttons and keys into commands. Widgets read it and listen to its signals; none talks to another.
// Threads: UI thread only. The trainer is never waited for.

#include <QObject>
#include <QTimer>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/desktop/methods.h"
#include "app/workbench/run_loader.h"
#include "app/workbench/workbench.h"
#include "views/view.h"

namespace moescope::app {

/// Stage and padlocks as of now: the newest frame, and the replies that came after it.
struct LiveState {
  int stage = 0;
  std::vector<telemetry::LayerControls> layers;
};

class Session : public QObject {
  Q_OBJECT
 public:
  Session(Methods methods, StartTrainer start_trainer, QObject* parent = nullptr);

  Workbench& bench() { return bench_; }
  const Workbench& bench() const { return bench_; }
  const Methods& methods() const { return methods_; }
  /// Of the current run; nullptr before the first.
  const config::MethodInfo* method() const;
  const telemetry::RunInfo* run() const { return bench_.history().run(); }
  const telemetry::TelemetryFrame* frame() const { return bench_.history().latest(); }
  const bus::RunStatus& status() const { return status_; }
  const LiveState& live() const { return live_; }
  views::Selection& selection() { return selection_; }
  const views::Palette& palette() const { return *palette_; }
  views::ViewContext view_context();

  void set_theme(views::Theme theme);
  void set_reduce_motion(bool reduce) { reduce_motion_ = reduce; }
  bool reduce_motion() const { return reduce_motion_; }

  bool running() const { return status_.state == bus::RunState::kRunning; }
  bool paused() const { return status_.state == bus::RunState::kPaused; }
  /// Preparing, running, paused or stopping.
  bool unfinished() const;
  /// A failure ended it, here or when it was recorded.
  bool failed() const { return status_.state == bus::RunState::kFailed || recorded_failure(); }
  /// What ended the recorded run on screen; nullptr: no failure.
  const record::EventRow* recorded_failure() const;
  /// Prepared but never stepped: nothing is lost when it goes.
  bool untouched() const;
  /// Seconds without a sign of life while running.
  double silent_seconds() const;

  /// The run on screen that nothing trains here is read on before it is gone on with: it may have been trained
  /// elsewhere since, and what is shown has no gap.
  void start(train::RunRequest request);
  /// Reads a recorded run beside this thread; run_opened() when it is shown, open_failed() when it cannot be. A run
  /// that trains is asked to stop once it could be read.
  void open_run(const QString& path);
  /// The same, but it becomes a ghost behind the shown run.
  void compare_with(const QString& path);
  void cancel_loading();
  /// What is being read; nullptr: nothing.
  const RunLoader* loading() const { return loader_.get(); }
  /// All that a picture of the run on screen would show has been read.
  bool settled() const { return !loader_ && !opened_ && !parent_; }
  /// A recorded run is shown and nothing trains.
  bool viewing() const { return bench_.viewing(); }
  /// It is trained elsewhere, and what is recorded of it there comes on screen by itself.
  bool following() const { return viewing() && bench_.loaded()->being_written; }
  void stop();
  /// False when the command could not be queued; noticed() then said why.
  bool post(bus::Command command);
  void toggle_pause();
  void step_once();
  void undo();
  void switch_stage(int stage);
  void next_stage();
  void toggle_router(int layer);
  void toggle_pin(int layer);
  void toggle_expert(int layer, int expert);
  void set_value(const std::string& key, config::Value value);
  void probe_sentence(const std::string& text);
  void select_layer(int layer);
  void follow_live();
  /// Steps that can be looked at: where the run begins to where it is.
  std::int64_t first_step() const;
  std::int64_t last_step() const;
  std::int64_t shown_step() const;
  /// The time cursor for all views, kept inside the run; its last step follows live.
  void look_at(std::int64_t step);
  /// One recorded moment back; false at the first.
  bool step_back();

  /// A command of this kind for this place or key has no answer yet.
  bool pending(bus::CommandKind kind, int layer = bus::kAllLayers, int expert = -1, const std::string& key = {}) const;
  bool router_frozen(int layer) const;
  bool assignment_pinned(int layer) const;
  bool expert_frozen(int layer, int expert) const;

  /// Which streams the visible views read; posted only when it changed.
  void set_wants(const telemetry::Wants& wants);

  /// Starts polling at 30 Hz; tests may call tick() by hand instead.
  void start_ticking();
  void tick();
  /// The selection was changed by a widget or a view.
  void selection_touched();

 Q_SIGNALS:
  void ticked();     ///< 30 Hz; do next to nothing here
  void arrived();    ///< frames, replies or a new state came in
  void slow_tick();  ///< 4 Hz: texts
  void selection_changed();
  void theme_changed();
  void run_started();
  void run_opened();  ///< after run_started()
  void open_failed(const Diagnostics& why);
  void noticed(const QString& text);  ///< a short word for the status line

 private:
  void poll();
  void poll_loader();
  void poll_follower();
  void take_loaded(LoadedRun run);
  void launch(train::RunRequest request);
  void go_on_behind(LoadedRun rest);
  bool read_on(LoadedRun rest);
  void add_ghost(LoadedRun run);
  void read_parent(const LoadedRun& fork);
  void show_parent();
  void show_opened();
  void forget_run();
  void read_answers();
  void rebuild_live();
  void post_wants();

  Methods methods_;
  Workbench bench_;
  bus::RunStatus status_;
  LiveState live_;
  views::Selection selection_;
  views::Selection announced_;
  const views::Palette* palette_;
  bool reduce_motion_ = false;
  QTimer timer_;
  int ticks_ = 0;
  std::map<std::uint64_t, bus::Command> unanswered_;
  std::vector<std::pair<std::int64_t, bus::Command>> answered_;  ///< done at that step, maybe not in a frame yet
  std::unique_ptr<RunLoader> loader_;
  enum class Reads { kRun, kGhost, kRest };
  Reads reads_ = Reads::kRun;                 ///< what loader_ is for
  std::optional<train::RunRequest> goes_on_;  ///< waits until the rest of its run is read
  std::unique_ptr<RunLoader> follower_;       ///< reads on, unseen
  std::chrono::steady_clock::time_point follower_began_{}, next_look_{};
  bool follow_failed_ = false;                         ///< and that was said
  std::unique_ptr<RunLoader> parent_;                  ///< reads the run that a fork left, unseen
  std::string parent_of_, parent_id_;                  ///< ids of that fork and of what is to be found
  std::string waits_;                                  ///< path of the run on screen, read when it has stopped
  std::optional<LoadedRun> opened_;                    ///< waits until the run on screen has stopped
  std::vector<std::unique_ptr<RunLoader>> cancelled_;  ///< kept until their threads are over
  telemetry::Wants wants_;
  std::optional<telemetry::Wants> posted_wants_;
  std::chrono::steady_clock::time_point last_sign_{};
};

}  // namespace moescope::app
