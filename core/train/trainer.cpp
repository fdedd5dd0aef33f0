#include "core/train/trainer.h"

#include <chrono>
#include <utility>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/train/evaluation.h"
#include "core/train/layer_geometry.h"
#include "core/train/messages.h"

namespace moescope::train {

using bus::RunState;
using telemetry::Event;

Trainer::Trainer(RunRequest request, std::shared_ptr<bus::Channels> channels, TrainerHooks hooks)
    : request_(std::move(request)),
      channels_(std::move(channels)),
      hooks_(std::move(hooks)),
      clock_(hooks_.on_phase),
      schedule_(request_.config.train),
      paused_(request_.start_paused) {}

void Trainer::run(const std::stop_token& stop) {
  try {
    prepare(stop);
  } catch (...) {
    if (!stop.stop_requested()) throw;
    finished_ = true;  // a preparation that was told to stop has not failed
    set_state(RunState::kFinished);
  }
  while (!finished_) {
    if (stop.stop_requested()) stopping_ = true;
    serve_script();
    serve_commands();
    watch_disk();
    const bool waits = !stopping_ && (paused_ || !trouble_.empty());
    if (waits) {
      wait_for_command();
    } else if (stopping_ || step_ >= request_.config.train.steps) {
      finish();
    } else {
      try_step();
    }
  }
  while (!stop.stop_requested()) {
    serve_commands();
    wait_for_command();
  }
}

void Trainer::prepare(const std::stop_token& stop) {
  try {
    begin(stop);
  } catch (...) {
    // What a refused run made would be in the way when it is tried again.
    if (log_ && !continues(request_)) log_->discard();
    throw;
  }
}

void Trainer::begin(const std::stop_token& stop) {
  clock_.enter(Phase::kPrepare);
  stop_ = stop;
  set_state(RunState::kIdle);
  log_ = std::make_unique<RunLog>(request_);
  open_past();
  material_ = prepare_material(request_, hooks_, channels_->status, stop);
  make_parts();
  for (const std::string& note : material_.notes) events_.push_back({Event::Kind::kNotice, 0, note, "lab"});
  begin_record(watch_->probe_tokens());
  if (past_) {
    const std::string own_id = std::exchange(run_id_, past_->facts().id);
    start_from_past();
    run_id_ = own_id;
    if (!continues(request_)) save_checkpoint(record::CheckpointKind::kStart, 0);
    past_.reset();
  }
  if (!newest_.blocks) take_snapshot(log_->commands());
  told_ = step_;
  set_state(paused_ ? RunState::kPaused : RunState::kRunning);
  clock_.enter(Phase::kBetween);
}

/// What trains and watches, in the state a fresh run begins with.
void Trainer::make_parts() {
  const config::TrainConfig& train = request_.config.train;
  OptimizerSettings optimizer;
  optimizer.weight_decay = train.weight_decay;
  optimizer.grad_clip = train.grad_clip;
  optimizer_ = std::make_unique<AdamW>(model().parameters(), optimizer);
  stage_due_ = material_.method->stage_due ? material_.method->stage_due(request_.config, 0) : 0;
  controls_ = std::make_unique<LiveControls>(*material_.method, model(), stage_due_);
  settings_ = std::make_unique<LiveSettings>(*material_.method, request_.config, model(), schedule_);
  watch_ = std::make_unique<Watch>(*material_.corpus, request_.config, model(), request_.watched, log_->writes());
}

telemetry::FramePtr Trainer::step() {
  trying_ = step_ + 1;
  switch_stage_when_due();
  clock_.reset();
  const StepPlan plan{step_, schedule_.at(step_), static_cast<std::uint64_t>(request_.config.top.seed)};
  const StepResult result = train_step(model(), *material_.objective, *material_.stream, *optimizer_, plan, clock_);
  clock_.set_step(++step_);
  telemetry::FramePtr frame = make_frame(plan, result);
  const double told_ms = watching_ms();
  keep_state();
  if (!retracing_) {
    log_->add(frame);
    publish(frame);
    unreported_watch_ms_ = watching_ms() - told_ms;
    told_ = step_;
    if (steps_until_pause_ > 0 && --steps_until_pause_ == 0) {
      paused_ = true;
      set_state(RunState::kPaused);
    }
    watch_disk();
  }
  clock_.enter(Phase::kBetween);
  beat();
  return frame;
}

void Trainer::switch_stage_when_due() {
  if (!material_.method->stage_due) return;
  // A change of what is due switches; what is merely due does not. So a stage chosen by hand stays.
  const int due = material_.method->stage_due(request_.config, step_);
  if (due == stage_due_) return;
  if (due != controls_->stage() && !retracing_) save_checkpoint(record::CheckpointKind::kStage, log_->commands());
  stage_due_ = due;
  if (due == controls_->stage()) return;
  bus::Command command;
  command.kind = bus::CommandKind::kSwitchStage;
  command.who = "schedule";
  command.count = due;
  mark_break(command);
  const Outcome outcome = controls_->apply(command);
  events_.push_back({Event::Kind::kStageSwitch, step_, outcome.text, "schedule"});
  if (!retracing_) log::info("step " + std::to_string(step_) + ": " + outcome.text);
}

void Trainer::mark_break(const bus::Command& command) {
  const std::vector<int> layers = controls_->layers_breaking(command);
  if (layers.empty()) return;
  clock_.enter(Phase::kProbe);
  watch_->mark_break(layers, step_);
}

std::shared_ptr<telemetry::TelemetryFrame> Trainer::make_frame(const StepPlan& plan, const StepResult& result) {
  clock_.enter(Phase::kPublish);
  auto frame = std::make_shared<telemetry::TelemetryFrame>();
  frame->step = step_;
  frame->stage = controls_->stage();
  frame->lr = plan.lr;
  frame->grad_norm = result.grad_norm;
  frame->controls = controls_->layers();
  watch_->show(result, controls_->stage(), *frame, clock_);
  validate_when_due(*frame);
  clock_.enter(Phase::kPublish);
  frame->step_ms =
      clock_.ms(Phase::kData) + clock_.ms(Phase::kForward) + clock_.ms(Phase::kBackward) + clock_.ms(Phase::kOptimizer);
  frame->watch_ms = watching_ms() + std::exchange(unreported_watch_ms_, 0);
  const double tokens = static_cast<double>(result.batch.num_tokens());
  frame->tokens_per_second = 1000 * tokens / (frame->step_ms + frame->watch_ms);
  // What is measured to be compared keeps the spacing it was given, whatever it costs.
  if (auto rarer = request_.measured ? std::nullopt : watch_->judge_cost(*frame)) events_.push_back(std::move(*rarer));
  frame->events = std::exchange(events_, {});
  return frame;
}

void Trainer::validate_when_due(telemetry::TelemetryFrame& frame) {
  const config::TrainConfig& train = request_.config.train;
  const bool due = step_ % train.validate_every == 0 || step_ == train.steps;
  if (!due || (retracing_ && past_)) return;  // recorded already
  clock_.enter(Phase::kValidate);
  frame.validation_loss = validation_loss(model(), material_.validation);
  if (request_.measured) frame.measures = measure_layers(model(), material_.validation);
  log::info("step " + std::to_string(step_) + ": validation loss " + shortest(frame.validation_loss) + " nats, " +
            shortest(frame.validation_loss * kBitsPerNat) + " bits per token");
  if (step_ == train.steps) measure_quality();
}

/// What the objective itself asks for; it costs many steps, so at the end alone.
void Trainer::measure_quality() {
  const std::string& objective = request_.config.model.objective;
  if (objective != "translation" && objective != "classification") return;
  channels_->status.update([](bus::RunStatus& status) { status.activity = "measuring what was learnt"; });
  std::map<std::string, double> quality;
  std::string signature;
  add_quality(request_.config, *material_.corpus, model(), quality, signature,
              [this] { return stop_.stop_requested(); });
  channels_->status.update([](bus::RunStatus& status) { status.activity.clear(); });
  if (quality.empty()) return;
  const std::string text = in_words(quality, signature);
  log::info("step " + std::to_string(step_) + ": " + text);
  events_.push_back({Event::Kind::kNotice, step_, text, "lab"});
}

void Trainer::publish(telemetry::FramePtr frame) {
  clock_.enter(Phase::kPublish);
  channels_->frames.push_drop_oldest(std::move(frame));
  clock_.enter(Phase::kBetween);
}

void Trainer::notice(const std::string& text) {
  events_.push_back({Event::Kind::kNotice, step_, text, "lab"});
  log::info("step " + std::to_string(step_) + ": " + text);
}

void Trainer::set_state(RunState state) {
  channels_->status.update([&](bus::RunStatus& status) {
    status.state = state;
    status.step = step_;
    status.activity = trouble_;
    status.progress = -1;
  });
}

void Trainer::beat() {
  channels_->status.update([&](bus::RunStatus& status) { status.step = step_; });
}

void Trainer::wait_for_command() {
  channels_->commands.wait_for_item(std::chrono::milliseconds(10));
  beat();
}

}  // namespace moescope::train
