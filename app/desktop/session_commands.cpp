// What buttons and keys do. Each is one command; the answer comes back through the journal.
#include "app/desktop/session.h"

#include <algorithm>

namespace moescope::app {
namespace {

bus::Command command_of(bus::CommandKind kind, int layer = bus::kAllLayers, int expert = -1) {
  bus::Command command;
  command.kind = kind;
  command.layer = layer;
  command.expert = expert;
  return command;
}

bool same_place(const bus::Command& command, bus::CommandKind kind, int layer, int expert, const std::string& key) {
  return command.kind == kind && (layer == bus::kAllLayers || command.layer == layer) &&
         (expert < 0 || command.expert == expert) && (key.empty() || command.key == key);
}

/// The next step with a recorded value behind `step`.
std::int64_t next_moment(const telemetry::History& history, std::int64_t step) {
  const telemetry::ScalarSeries* task = history.series("task");
  if (!task) return step + 1;
  const auto next = std::upper_bound(task->step.begin(), task->step.end(), step);
  return next == task->step.end() ? step + 1 : *next;
}

}  // namespace

void Session::forget_run() {
  unanswered_.clear();
  answered_.clear();
  posted_wants_.reset();
  live_ = {};
}

void Session::launch(train::RunRequest request) {
  forget_run();
  // Who goes on from a recorded run goes on looking at the same layer and expert, and at what differs from another.
  if (request.origin) {
    selection_.step.reset();
  } else {
    selection_ = {};
  }
  if (!request.origin || request.origin->use != train::Origin::Use::kContinue) selection_.against.reset();
  last_sign_ = std::chrono::steady_clock::now();
  bench_.start(std::move(request));
  Q_EMIT run_started();
  poll();
}

void Session::stop() {
  if (!unfinished()) return;
  bench_.stop();
  Q_EMIT noticed(tr("Stopping at the next step…"));
}

bool Session::post(bus::Command command) {
  const std::optional<std::uint64_t> seq = bench_.post(command);
  if (!seq) {
    Q_EMIT noticed(QString::fromStdString(bench_.last_refusal()));
    return false;
  }
  command.seq = *seq;
  if (command.kind != bus::CommandKind::kWatch) unanswered_.emplace(*seq, std::move(command));
  Q_EMIT arrived();
  return true;
}

void Session::toggle_pause() {
  if (!unfinished()) return;
  post(command_of(running() ? bus::CommandKind::kPause : bus::CommandKind::kResume));
}

void Session::step_once() {
  // In the past the next moment is one that was recorded.
  if (selection_.step) return look_at(next_moment(bench_.history(), *selection_.step));
  if (unfinished()) post(command_of(bus::CommandKind::kStep));
}

void Session::undo() {
  std::optional<bus::Command> back;
  for (const JournalEntry& entry : bench_.journal())
    if (entry.undo) back = entry.undo;
  if (!bench_.undo()) {
    Q_EMIT noticed(tr("There is nothing to take back."));
    return;
  }
  // The bench sent it, so its number is known from its row only.
  if (back && !bench_.journal().empty() && bench_.journal().back().pending)
    unanswered_.emplace(bench_.journal().back().seq, *back);
  Q_EMIT arrived();
}

void Session::switch_stage(int stage) {
  bus::Command command = command_of(bus::CommandKind::kSwitchStage);
  command.count = stage;
  post(std::move(command));
}

void Session::next_stage() {
  const int stages = run() ? static_cast<int>(run()->stages.size()) : 0;
  if (live_.stage + 1 < stages) {
    switch_stage(live_.stage + 1);
  } else {
    Q_EMIT noticed(stages > 1 ? tr("This is the last stage.") : tr("This method has one stage only."));
  }
}

void Session::toggle_router(int layer) {
  post(command_of(router_frozen(layer) ? bus::CommandKind::kUnfreezeRouter : bus::CommandKind::kFreezeRouter, layer));
}

void Session::toggle_pin(int layer) {
  post(command_of(assignment_pinned(layer) ? bus::CommandKind::kUnpinAssignment : bus::CommandKind::kPinAssignment,
                  layer));
}

void Session::toggle_expert(int layer, int expert) {
  const bool frozen = expert_frozen(layer, expert);
  post(command_of(frozen ? bus::CommandKind::kUnfreezeExpert : bus::CommandKind::kFreezeExpert, layer, expert));
}

void Session::set_value(const std::string& key, config::Value value) {
  bus::Command command = command_of(bus::CommandKind::kSet);
  command.key = key;
  command.value = std::move(value);
  post(std::move(command));
}

void Session::probe_sentence(const std::string& text) {
  bus::Command command = command_of(bus::CommandKind::kProbeSentence);
  command.text = text;
  post(std::move(command));
}

void Session::select_layer(int layer) {
  if (!run() || layer < 0 || layer >= run()->num_layers || layer == selection_.layer) return;
  selection_.layer = layer;
  selection_.expert.reset();
  selection_touched();
}

void Session::follow_live() {
  selection_.step.reset();
  selection_touched();
}

bool Session::pending(bus::CommandKind kind, int layer, int expert, const std::string& key) const {
  return std::any_of(unanswered_.begin(), unanswered_.end(),
                     [&](const auto& one) { return same_place(one.second, kind, layer, expert, key); });
}

bool Session::router_frozen(int layer) const {
  const auto index = static_cast<std::size_t>(layer);
  return index < live_.layers.size() && live_.layers[index].router_frozen;
}

bool Session::assignment_pinned(int layer) const {
  const auto index = static_cast<std::size_t>(layer);
  return index < live_.layers.size() && live_.layers[index].assignment_pinned;
}

bool Session::expert_frozen(int layer, int expert) const {
  const auto index = static_cast<std::size_t>(layer);
  if (index >= live_.layers.size() || expert < 0 || expert >= 64) return false;
  return (live_.layers[index].frozen_experts >> expert & 1) != 0;
}

}  // namespace moescope::app
