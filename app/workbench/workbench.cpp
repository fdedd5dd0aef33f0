#include "app/workbench/workbench.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "app/workbench/real_trainer.h"
#include "app/workbench/recorded_journal.h"
#include "app/workbench/run_loader.h"

namespace moescope::app {
namespace {

/// Folders have names of their own, runs may all be called alike.
std::string ghost_name(const telemetry::RunInfo& run) {
  return run.folder.empty() ? run.name : short_run_name(run.folder);
}

}  // namespace

class Workbench::State {
 public:
  explicit State(StartTrainer start_trainer) : start_trainer_(std::move(start_trainer)) {
    if (!start_trainer_) start_trainer_ = start_real_trainer;
  }

  void start(train::RunRequest request) {
    if (running()) {
      next = std::move(request);
      request_stop();
    } else {
      launch(std::move(request));
    }
  }

  void stop() {
    next.reset();
    if (running()) request_stop();
  }

  bool running() const { return trainer && !trainer->ended(); }

  std::optional<std::uint64_t> post(bus::Command command, bool takes_back) {
    if (!running()) return refuse("nothing runs");
    if (stopping) return refuse("the run is stopping");
    command.seq = next_seq;
    if (!channels->commands.try_push(command)) return refuse("too many commands wait; try again in a moment");
    const int stage = history.latest() != nullptr ? history.latest()->stage : 0;
    if (command.kind != bus::CommandKind::kWatch) journal.posted(command, status().step, stage, takes_back);
    last_refusal.clear();
    return next_seq++;
  }

  bool undo() {
    const JournalEntry* entry = journal.undoable();
    if (entry == nullptr) return false;
    const std::uint64_t seq = entry->seq;
    if (!post(*entry->undo, true)) return false;
    journal.undone(seq);
    return true;
  }

  bool pump() {
    if (!channels) return false;
    // Asked first: whatever the trainer sent before it ended is then in the queues.
    const bool ended = trainer && trainer->ended();
    bool changed = take_frames();
    changed = take_replies() || changed;
    changed = journal.add_effects(history) || changed;
    changed = note_status() || changed;
    if (ended) {
      finish();
      changed = true;
    }
    return changed;
  }

  bus::RunStatus status() const {
    if (!channels) {
      bus::RunStatus status;
      if (loaded) status.state = bus::RunState::kFinished;
      if (loaded) status.step = loaded->last_step;
      return status;
    }
    bus::RunStatus status = channels->status.read();
    // What was asked shows at once, not at the trainer's next boundary.
    if (stopping && running() && !has_ended(status.state)) status.state = bus::RunState::kStopping;
    return status;
  }

  void view(LoadedRun run, std::optional<config::RunConfig> recorded_config) {
    forget_run();
    channels.reset();
    trainer.reset();
    config = std::move(recorded_config);
    show(std::move(run));
  }

  bool viewing() const { return loaded && !channels; }

  void read_on(LoadedRun run) {
    // A run that ended here has told all of that, and more of how it ended.
    if (!viewing() && run.frames.empty()) return;
    for (const telemetry::FramePtr& frame : std::exchange(run.frames, {})) history.add(frame);
    run.history = std::exchange(history, telemetry::History());
    if (loaded) keep_damages(run.damages);
    if (loaded && run.obstacle.empty()) run.obstacle = loaded->obstacle;
    show(std::move(run));
  }

  void add_ghost(telemetry::Ghost ghost) {
    std::erase_if(ghosts, [&](const telemetry::Ghost& other) { return other.name == ghost.name; });
    if (ghosts.size() >= kMaxGhosts) ghosts.erase(ghosts.begin());
    ghosts.push_back(std::move(ghost));
  }

  std::unique_ptr<TrainerHandle> trainer;
  std::shared_ptr<bus::Channels> channels;
  std::optional<train::RunRequest> next;
  telemetry::History history;
  JournalBook journal;
  std::string last_refusal;
  std::optional<bus::SentenceResult> sentence;
  std::map<std::string, config::Value> live_values;
  std::optional<config::RunConfig> config;
  std::optional<LoadedRun> loaded;
  std::optional<train::Origin> origin;
  std::vector<telemetry::Ghost> ghosts;
  std::vector<std::int64_t> checkpoints;
  std::uint64_t next_seq = 1;
  bool stopping = false;

 private:
  void launch(train::RunRequest request) {
    trainer.reset();
    next.reset();
    const std::optional<train::Origin>& from = request.origin;
    const bool shown = from && history.run() && same_folder(history.run()->folder, from->folder);
    if (!shown && !(from && has_rows_of(from->folder))) {
      forget_run();
    } else if (from->use == train::Origin::Use::kFork) {
      leave_run(*from);
    }
    folder_ = request.folder;
    forget_commands();
    origin = request.origin;
    config = request.config;
    live_values = values_after(request.config, journal.entries);
    channels = std::make_shared<bus::Channels>();
    trainer = start_trainer_(std::move(request), channels);
  }

  void show(LoadedRun run) {
    // What a fork took over of its parent's journal stays.
    std::erase_if(journal.entries,
                  [&](const JournalEntry& entry) { return entry.folder.empty() || entry.folder == run.folder; });
    std::vector<JournalEntry> rows = journal_of(run);
    std::move(rows.begin(), rows.end(), std::back_inserter(journal.entries));
    history = std::exchange(run.history, telemetry::History());
    live_values.clear();
    if (config) live_values = values_after(*config, journal.entries);
    checkpoints = run.checkpoints;
    loaded = std::move(run);
  }

  /// Of what was read before, which nobody looks at again; ahead of what came with the rest.
  void keep_damages(std::vector<std::string>& damages) const {
    std::vector<std::string> all = loaded->damages;
    for (std::string& one : damages)
      if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(std::move(one));
    damages = std::move(all);
  }

  void forget_run() {
    history.start(nullptr);
    journal.entries.clear();
    ghosts.clear();
    checkpoints.clear();
    loaded.reset();
    origin.reset();
    forget_commands();
  }

  /// Of the trainer that was.
  void forget_commands() {
    stopping = false;
    next_seq = journal.begin(next_seq);
    sentence.reset();
    seen_ = {};
  }

  bool has_rows_of(const std::string& folder) const {
    return std::any_of(journal.entries.begin(), journal.entries.end(),
                       [&](const JournalEntry& entry) { return same_folder(entry.folder, folder); });
  }

  void leave_run(const train::Origin& left) {
    if (history.latest()) add_ghost({ghost_name(*history.run()), std::make_shared<telemetry::History>(history), true});
    cut_journal(journal.entries, left);
    history.start(nullptr);
    checkpoints.clear();
    loaded.reset();
  }

  void request_stop() {
    stopping = true;
    trainer->request_stop();
  }

  std::nullopt_t refuse(std::string why) {
    last_refusal = std::move(why);
    return std::nullopt;
  }

  bool take_frames() {
    // Frames first: a run is announced before its first frame, so every frame taken here has its run in the queue.
    const std::vector<telemetry::FramePtr> frames = channels->frames.drain();
    const auto runs = channels->runs.drain();
    for (const auto& run : runs) {
      const bool same_run = history.run() && !run->id.empty() && run->id == history.run()->id;
      same_run ? history.go_on(run) : history.start(run);
    }
    for (const telemetry::FramePtr& frame : frames) {
      // Known already: the run was killed before these steps were recorded, so they are trained again.
      if (history.latest() && frame->step <= history.latest()->step) continue;
      if (history.run() && frame->step < history.run()->parent_step) continue;
      history.add(frame);
      for (const telemetry::Event& event : frame->events) journal.noted(event, folder_);
    }
    return !frames.empty() || !runs.empty();
  }

  bool take_replies() {
    const std::vector<bus::Reply> replies = channels->replies.drain();
    for (const bus::Reply& reply : replies) {
      if (reply.done) confirm_value(live_values, reply.command);
      if (reply.sentence) sentence = reply.sentence;
      journal.answered(reply, folder_);
    }
    return !replies.empty();
  }

  bool note_status() {
    const bus::RunStatus now = status();
    if (bus::same_but_heartbeat(now, seen_)) return false;
    // A trainer that prepares to go on with a run has not looked at its folder yet.
    if (!now.checkpoints.empty()) checkpoints = now.checkpoints;
    if (now.state == bus::RunState::kFailed && seen_.state != bus::RunState::kFailed) journal.failed(now.failure);
    seen_ = now;
    return true;
  }

  void finish() {
    journal.ended();
    trainer.reset();
    stopping = false;
    if (next) launch(std::move(*std::exchange(next, std::nullopt)));
  }

  StartTrainer start_trainer_;
  std::string folder_;  ///< of the run that trains
  bus::RunStatus seen_;
};

Workbench::Workbench(StartTrainer start_trainer) : state_(std::make_unique<State>(std::move(start_trainer))) {}
Workbench::~Workbench() = default;

void Workbench::start(train::RunRequest request) { state_->start(std::move(request)); }
void Workbench::view(LoadedRun run, std::optional<config::RunConfig> config) {
  state_->view(std::move(run), std::move(config));
}
void Workbench::read_on(LoadedRun run) { state_->read_on(std::move(run)); }
void Workbench::no_longer_written() {
  if (state_->loaded) state_->loaded->being_written = false;
}
void Workbench::stop() { state_->stop(); }
bool Workbench::active() const { return state_->running() || state_->next.has_value(); }

std::optional<std::uint64_t> Workbench::post(bus::Command command) { return state_->post(std::move(command), false); }
const std::string& Workbench::last_refusal() const { return state_->last_refusal; }
bool Workbench::undo() { return state_->undo(); }
bool Workbench::can_undo() const { return state_->journal.undoable() != nullptr; }

bool Workbench::pump() { return state_->pump(); }

const telemetry::History& Workbench::history() const { return state_->history; }
const std::vector<JournalEntry>& Workbench::journal() const { return state_->journal.entries; }
bus::RunStatus Workbench::status() const { return state_->status(); }
bool Workbench::viewing() const { return state_->viewing(); }
const LoadedRun* Workbench::loaded() const { return state_->loaded ? &*state_->loaded : nullptr; }
const std::vector<std::int64_t>& Workbench::checkpoints() const { return state_->checkpoints; }
const std::optional<train::Origin>& Workbench::origin() const { return state_->origin; }
const std::vector<telemetry::Ghost>& Workbench::ghosts() const { return state_->ghosts; }
void Workbench::add_ghost(telemetry::Ghost ghost) { state_->add_ghost(std::move(ghost)); }
void Workbench::clear_ghosts() { state_->ghosts.clear(); }
std::uint64_t Workbench::dropped_frames() const { return state_->channels ? state_->channels->frames.dropped() : 0; }
const bus::SentenceResult* Workbench::sentence() const { return state_->sentence ? &*state_->sentence : nullptr; }
const std::map<std::string, config::Value>& Workbench::live_values() const { return state_->live_values; }
const config::RunConfig* Workbench::config() const { return state_->config ? &*state_->config : nullptr; }

}  // namespace moescope::app
