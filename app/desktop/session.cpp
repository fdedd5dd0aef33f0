#include "app/desktop/session.h"

#include <algorithm>

namespace moescope::app {
namespace {

constexpr int kTickMs = 33;
constexpr int kTicksPerSlowTick = 8;
constexpr int kMaskBits = 64;  // of LayerControls::frozen_experts

void apply_to_layer(telemetry::LayerControls& layer, const bus::Command& command) {
  const std::uint64_t bit =
      command.expert >= 0 && command.expert < kMaskBits ? std::uint64_t{1} << command.expert : std::uint64_t{0};
  switch (command.kind) {
    case bus::CommandKind::kFreezeRouter: layer.router_frozen = true; break;
    case bus::CommandKind::kUnfreezeRouter: layer.router_frozen = false; break;
    case bus::CommandKind::kPinAssignment: layer.assignment_pinned = true; break;
    case bus::CommandKind::kUnpinAssignment: layer.assignment_pinned = false; break;
    case bus::CommandKind::kFreezeExpert: layer.frozen_experts |= bit; break;
    case bus::CommandKind::kUnfreezeExpert: layer.frozen_experts &= ~bit; break;
    default: break;
  }
}

void apply_to(LiveState& live, const bus::Command& command) {
  if (command.kind == bus::CommandKind::kSwitchStage) live.stage = static_cast<int>(command.count);
  for (std::size_t layer = 0; layer < live.layers.size(); ++layer)
    if (command.layer == bus::kAllLayers || command.layer == static_cast<int>(layer))
      apply_to_layer(live.layers[layer], command);
}

}  // namespace

Session::Session(Methods methods, StartTrainer start_trainer, QObject* parent)
    : QObject(parent),
      methods_(std::move(methods)),
      bench_(std::move(start_trainer)),
      palette_(&views::palette(views::Theme::kDark)) {
  connect(&timer_, &QTimer::timeout, this, &Session::tick);
}

void Session::start_ticking() { timer_.start(kTickMs); }

void Session::tick() {
  poll_loader();
  poll_follower();
  poll();
  if (!(selection_ == announced_)) selection_touched();
  Q_EMIT ticked();
  post_wants();
  if (++ticks_ % kTicksPerSlowTick == 0) Q_EMIT slow_tick();
}

void Session::poll() {
  const bool changed = bench_.pump();
  const bus::RunStatus now = bench_.status();
  const bool moved = !bus::same_but_heartbeat(now, status_);
  if (now.heartbeat != status_.heartbeat) last_sign_ = std::chrono::steady_clock::now();
  status_ = now;
  if (!changed && !moved) return;
  read_answers();
  rebuild_live();
  Q_EMIT arrived();
}

void Session::read_answers() {
  if (unanswered_.empty()) return;
  for (const JournalEntry& entry : bench_.journal()) {
    if (entry.pending) continue;
    const auto found = unanswered_.find(entry.seq);
    if (found == unanswered_.end()) continue;
    if (!entry.refused) answered_.emplace_back(entry.step, found->second);
    unanswered_.erase(found);
  }
}

void Session::rebuild_live() {
  const telemetry::TelemetryFrame* newest = frame();
  if (newest) {
    live_.stage = newest->stage;
    live_.layers = newest->controls;
    // A frame that is later than the step boundary a command was applied at shows its effect already.
    std::erase_if(answered_, [&](const auto& one) { return one.first < newest->step; });
  }
  if (run()) live_.layers.resize(static_cast<std::size_t>(std::max(run()->num_layers, 0)));
  for (const auto& one : answered_) apply_to(live_, one.second);
  if (run() && selection_.layer >= run()->num_layers) selection_.layer = 0;
}

const config::MethodInfo* Session::method() const {
  return bench_.config() ? config::find_method(methods_.catalogue, bench_.config()->moe.method) : nullptr;
}

views::ViewContext Session::view_context() {
  return {bench_.history(),  status_,        selection_,
          *palette_,         reduce_motion_, [this](bus::Command command) { post(std::move(command)); },
          bench_.sentence(), bench_.ghosts()};
}

void Session::set_theme(views::Theme theme) {
  palette_ = &views::palette(theme);
  Q_EMIT theme_changed();
}

bool Session::unfinished() const {
  if (!bench_.active()) return false;
  return status_.state != bus::RunState::kFailed && status_.state != bus::RunState::kFinished;
}

bool Session::untouched() const {
  return status_.step == 0 && (status_.state == bus::RunState::kIdle || status_.state == bus::RunState::kPaused);
}

double Session::silent_seconds() const {
  if (!running()) return 0;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - last_sign_).count();
}

void Session::set_wants(const telemetry::Wants& wants) { wants_ = wants; }

void Session::post_wants() {
  if (!bench_.active() || posted_wants_ == wants_) return;
  bus::Command command;
  command.kind = bus::CommandKind::kWatch;
  command.wants = wants_;
  if (bench_.post(command)) posted_wants_ = wants_;
}

void Session::selection_touched() {
  announced_ = selection_;
  Q_EMIT selection_changed();
}

}  // namespace moescope::app
