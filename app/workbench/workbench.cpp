#include "app/workbench/workbench.h"

#include <algorithm>
#include <map>
#include <utility>

#include "app/workbench/real_trainer.h"
#include "app/workbench/undo.h"

namespace moescope::app {
namespace {

/// Every value of a configuration by full key, before the trainer confirms any change.
std::map<std::string, config::Value> initial_values(const config::RunConfig& config) {
  std::map<std::string, config::Value> values = config::values_of(config, config::MethodInfo{});
  for (const auto& [key, value] : config.router) values["moe.router." + key] = value;
  for (const auto& [key, value] : config.stages) values["stages." + key] = value;
  return values;
}

bool has_ended(bus::RunState state) { return state == bus::RunState::kFailed || state == bus::RunState::kFinished; }

bool same(const bus::RunStatus& a, const bus::RunStatus& b) {
  return a.state == b.state && a.step == b.step && a.activity == b.activity && a.progress == b.progress;
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
    JournalEntry entry;
    entry.step = status().step;
    entry.who = command.who;
    entry.what = (takes_back ? "undo: " : "") + bus::describe(command);
    entry.pending = true;
    entry.seq = command.seq;
    const bool shown = command.kind != bus::CommandKind::kWatch;
    if (!channels->commands.try_push(std::move(command)))
      return refuse("too many commands wait; try again in a moment");
    if (shown) {
      stage_at_post_[entry.seq] = history.latest() != nullptr ? history.latest()->stage : 0;
      if (takes_back) undoing_.push_back(entry.seq);
      journal.push_back(std::move(entry));
    }
    last_refusal.clear();
    return next_seq++;
  }

  /// The newest entry that can be taken back, or nullptr.
  JournalEntry* undoable() {
    const auto found = std::find_if(journal.rbegin(), journal.rend(),
                                    [](const JournalEntry& entry) { return entry.undo.has_value(); });
    return found == journal.rend() ? nullptr : &*found;
  }

  bool undo() {
    const JournalEntry* entry = undoable();
    if (entry == nullptr) return false;
    const std::uint64_t seq = entry->seq;
    if (!post(*entry->undo, true)) return false;
    find(seq)->undo.reset();  // the post may have moved the journal
    return true;
  }

  bool pump() {
    if (!channels) return false;
    // Asked first: whatever the trainer sent before it ended is then in the queues.
    const bool ended = trainer && trainer->ended();
    bool changed = take_frames();
    changed = take_replies() || changed;
    changed = add_effects() || changed;
    changed = note_status() || changed;
    if (ended) {
      finish();
      changed = true;
    }
    return changed;
  }

  bus::RunStatus status() const {
    if (!channels) return {};
    bus::RunStatus status = channels->status.read();
    // What was asked shows at once, not at the trainer's next boundary.
    if (stopping && running() && !has_ended(status.state)) status.state = bus::RunState::kStopping;
    return status;
  }

  std::unique_ptr<TrainerHandle> trainer;
  std::shared_ptr<bus::Channels> channels;
  std::optional<train::RunRequest> next;
  telemetry::History history;
  std::vector<JournalEntry> journal;
  std::string last_refusal;
  std::optional<bus::SentenceResult> sentence;
  std::map<std::string, config::Value> live_values;
  std::optional<config::RunConfig> config;
  std::uint64_t next_seq = 1;
  bool stopping = false;

 private:
  void launch(train::RunRequest request) {
    trainer.reset();
    next.reset();
    stopping = false;
    history.start(nullptr);
    journal.clear();
    stage_at_post_.clear();
    undoing_.clear();
    awaiting_effect_.clear();
    sentence.reset();
    seen_ = {};
    config = request.config;
    live_values = initial_values(request.config);
    channels = std::make_shared<bus::Channels>();
    trainer = start_trainer_(std::move(request), channels);
  }

  void request_stop() {
    stopping = true;
    trainer->request_stop();
  }

  std::nullopt_t refuse(std::string why) {
    last_refusal = std::move(why);
    return std::nullopt;
  }

  JournalEntry* find(std::uint64_t seq) {
    const auto found =
        std::find_if(journal.rbegin(), journal.rend(), [&](const JournalEntry& entry) { return entry.seq == seq; });
    return found == journal.rend() ? nullptr : &*found;
  }

  bool take_frames() {
    // Frames first: a run is announced before its first frame, so every frame taken here has its run in the queue.
    const std::vector<telemetry::FramePtr> frames = channels->frames.drain();
    const auto runs = channels->runs.drain();
    for (const auto& run : runs) history.start(run);
    for (const telemetry::FramePtr& frame : frames) {
      history.add(frame);
      for (const telemetry::Event& event : frame->events) note_event(event);
    }
    return !frames.empty() || !runs.empty();
  }

  /// Of commands the replies tell; what happened by itself has no reply.
  void note_event(const telemetry::Event& event) {
    if (event.who != "schedule" && event.who != "lab") return;
    JournalEntry entry;
    entry.step = event.step;
    entry.who = event.who;
    entry.what = event.text;
    journal.push_back(std::move(entry));
  }

  bool take_replies() {
    const std::vector<bus::Reply> replies = channels->replies.drain();
    for (const bus::Reply& reply : replies) take(reply);
    return !replies.empty();
  }

  void take(const bus::Reply& reply) {
    const bus::Command& command = reply.command;
    if (reply.done && command.kind == bus::CommandKind::kSet) confirm(command.key, command.value);
    if (reply.sentence) sentence = reply.sentence;
    JournalEntry* entry = find(command.seq);
    if (entry == nullptr || command.seq == 0) return;
    entry->pending = false;
    entry->refused = !reply.done;
    entry->step = reply.step;
    entry->effect = reply.text;
    const bool takes_back = std::erase(undoing_, command.seq) > 0;
    if (!takes_back) entry->undo = undo_of(reply, stage_at_post_[command.seq]);
    stage_at_post_.erase(command.seq);
    if (reply.done && changes_training(command.kind)) awaiting_effect_.emplace_back(command.seq, reply.step);
  }

  void confirm(const std::string& key, const config::Value& value) {
    config::Value& held = live_values[key];
    // A whole number is accepted for a number field and stays a number.
    const auto* integer = std::get_if<std::int64_t>(&value);
    held = integer != nullptr && std::holds_alternative<double>(held) ? config::Value(static_cast<double>(*integer))
                                                                      : value;
  }

  bool add_effects() {
    return std::erase_if(awaiting_effect_, [&](const std::pair<std::uint64_t, std::int64_t>& waiting) {
             const auto effect = effect_on_loss(history, waiting.second);
             if (!effect) return false;
             if (JournalEntry* entry = find(waiting.first))
               entry->effect += (entry->effect.empty() ? "" : "; ") + *effect;
             return true;
           }) > 0;
  }

  bool note_status() {
    const bus::RunStatus now = status();
    if (same(now, seen_)) return false;
    if (now.state == bus::RunState::kFailed && seen_.state != bus::RunState::kFailed) {
      JournalEntry entry;
      entry.step = now.failure.step;
      entry.who = "lab";
      entry.what = "failed in " + now.failure.phase;
      entry.effect = now.failure.message;
      journal.push_back(std::move(entry));
    }
    seen_ = now;
    return true;
  }

  void finish() {
    for (JournalEntry& entry : journal)
      if (entry.pending) {
        entry.pending = false;
        entry.refused = true;
        entry.effect = "the run ended first";
      }
    for (JournalEntry& entry : journal) entry.undo.reset();  // there is nothing left to take back
    trainer.reset();
    stopping = false;
    if (next) launch(std::move(*std::exchange(next, std::nullopt)));
  }

  StartTrainer start_trainer_;
  std::map<std::uint64_t, int> stage_at_post_;
  std::vector<std::uint64_t> undoing_;
  std::vector<std::pair<std::uint64_t, std::int64_t>> awaiting_effect_;  ///< (seq, step) of commands that took effect
  bus::RunStatus seen_;
};

Workbench::Workbench(StartTrainer start_trainer) : state_(std::make_unique<State>(std::move(start_trainer))) {}
Workbench::~Workbench() = default;

void Workbench::start(train::RunRequest request) { state_->start(std::move(request)); }
void Workbench::stop() { state_->stop(); }
bool Workbench::active() const { return state_->running() || state_->next.has_value(); }

std::optional<std::uint64_t> Workbench::post(bus::Command command) { return state_->post(std::move(command), false); }
const std::string& Workbench::last_refusal() const { return state_->last_refusal; }
bool Workbench::undo() { return state_->undo(); }
bool Workbench::can_undo() const { return state_->undoable() != nullptr; }

bool Workbench::pump() { return state_->pump(); }

const telemetry::History& Workbench::history() const { return state_->history; }
const std::vector<JournalEntry>& Workbench::journal() const { return state_->journal; }
bus::RunStatus Workbench::status() const { return state_->status(); }
std::uint64_t Workbench::dropped_frames() const { return state_->channels ? state_->channels->frames.dropped() : 0; }
const bus::SentenceResult* Workbench::sentence() const { return state_->sentence ? &*state_->sentence : nullptr; }
const std::map<std::string, config::Value>& Workbench::live_values() const { return state_->live_values; }
const config::RunConfig* Workbench::config() const { return state_->config ? &*state_->config : nullptr; }

}  // namespace moescope::app
