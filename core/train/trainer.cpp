#include "core/train/trainer.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/train/evaluation.h"
#include "core/train/layer_geometry.h"
#include "core/train/messages.h"
#include "core/train/weights_file.h"

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
    serve_commands();
    const bool waits = !stopping_ && (paused_ || !disk_problem_.empty());
    if (waits) {
      wait_for_command();
    } else if (stopping_ || step_ >= request_.config.train.steps) {
      finish();
    } else {
      step();
    }
  }
  while (!stop.stop_requested()) {
    serve_commands();
    wait_for_command();
  }
}

void Trainer::prepare(const std::stop_token& stop) {
  clock_.enter(Phase::kPrepare);
  stop_ = stop;
  set_state(RunState::kIdle);
  log_ = std::make_unique<RunLog>(request_);
  material_ = prepare_material(request_, hooks_, channels_->status, stop);
  const config::TrainConfig& train = request_.config.train;
  OptimizerSettings optimizer;
  optimizer.weight_decay = train.weight_decay;
  optimizer.grad_clip = train.grad_clip;
  optimizer_ = std::make_unique<AdamW>(model().parameters(), optimizer);
  stage_due_ = material_.method->stage_due ? material_.method->stage_due(request_.config, 0) : 0;
  controls_ = std::make_unique<LiveControls>(*material_.method, model(), stage_due_);
  settings_ = std::make_unique<LiveSettings>(*material_.method, request_.config, model(), schedule_);
  watch_ = std::make_unique<Watch>(*material_.corpus, request_.config, model(), request_.watched);
  for (const std::string& note : material_.notes) events_.push_back({Event::Kind::kNotice, 0, note, "lab"});
  auto info = std::make_shared<telemetry::RunInfo>(run_info(request_, material_, watch_->probe_tokens()));
  log::info(material_.method->info.title + " on " + info->corpus + ": " + with_thousands(info->num_parameters) +
            " parameters, " + std::to_string(info->threads) + (info->threads == 1 ? " thread" : " threads"));
  channels_->runs.push_drop_oldest(std::move(info));
  set_state(paused_ ? RunState::kPaused : RunState::kRunning);
  clock_.enter(Phase::kBetween);
}

void Trainer::step() {
  switch_stage_when_due();
  clock_.reset();
  const StepPlan plan{step_, schedule_.at(step_), static_cast<std::uint64_t>(request_.config.top.seed)};
  const StepResult result = train_step(model(), *material_.objective, *material_.stream, *optimizer_, plan, clock_);
  clock_.set_step(++step_);
  std::shared_ptr<telemetry::TelemetryFrame> frame = make_frame(plan, result);
  record(*frame);
  publish(std::move(frame));
  if (steps_until_pause_ > 0 && --steps_until_pause_ == 0) {
    paused_ = true;
    set_state(RunState::kPaused);
  }
  clock_.enter(Phase::kBetween);
  beat();
}

void Trainer::switch_stage_when_due() {
  if (!material_.method->stage_due) return;
  // A change of what is due switches; what is merely due does not. So a stage chosen by hand stays.
  const int due = material_.method->stage_due(request_.config, step_);
  if (due == std::exchange(stage_due_, due) || due == controls_->stage()) return;
  bus::Reply reply;
  reply.command.kind = bus::CommandKind::kSwitchStage;
  reply.command.who = "schedule";
  reply.command.count = due;
  mark_break(reply.command);
  const Outcome outcome = controls_->apply(reply.command);
  reply.done = outcome.done;
  reply.step = step_;
  reply.text = outcome.text;
  events_.push_back({Event::Kind::kStageSwitch, step_, outcome.text, "schedule"});
  log::info("step " + std::to_string(step_) + ": " + outcome.text);
  clock_.enter(Phase::kRecord);
  disk_trouble(log_->add(reply));
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
  const double watched_ms = clock_.ms(Phase::kProbe) + clock_.ms(Phase::kPublish);
  frame->watch_ms = watched_ms + std::exchange(unreported_watch_ms_, -watched_ms);
  const double tokens = static_cast<double>(result.batch.num_tokens());
  frame->tokens_per_second = 1000 * tokens / (frame->step_ms + frame->watch_ms);
  // What is measured to be compared keeps the spacing it was given, whatever it costs.
  if (auto rarer = request_.measured ? std::nullopt : watch_->judge_cost(*frame)) events_.push_back(std::move(*rarer));
  frame->events = std::exchange(events_, {});
  return frame;
}

void Trainer::validate_when_due(telemetry::TelemetryFrame& frame) {
  const config::TrainConfig& train = request_.config.train;
  if (step_ % train.validate_every != 0 && step_ != train.steps) return;
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

void Trainer::record(telemetry::TelemetryFrame& frame) {
  clock_.enter(Phase::kRecord);
  if (disk_trouble(log_->add(frame))) frame.events.push_back({Event::Kind::kNotice, step_, disk_problem_, "lab"});
}

/// True when a write has just begun to fail and the run now waits for space.
bool Trainer::disk_trouble(const std::string& problem) {
  if (problem.empty()) return false;
  if (finished_) {  // nothing left to hold up; the line is kept and tried again with the next
    log::warning(problem);
    return false;
  }
  if (!request_.pause_when_disk_full) throw std::runtime_error(problem);
  const bool fresh = disk_problem_.empty();
  disk_problem_ = problem;
  if (fresh) {
    log::warning("paused: " + problem);
    set_state(RunState::kPaused);
  }
  return fresh;
}

void Trainer::publish(std::shared_ptr<telemetry::TelemetryFrame> frame) {
  clock_.enter(Phase::kPublish);
  channels_->frames.push_drop_oldest(std::move(frame));
  clock_.enter(Phase::kBetween);
  // make_frame() took its own share off; what remains is the hand-over, told with the next frame.
  unreported_watch_ms_ += clock_.ms(Phase::kProbe) + clock_.ms(Phase::kPublish);
}

void Trainer::finish() {
  clock_.enter(Phase::kRecord);
  set_state(RunState::kStopping);
  std::string problem = log_->flush();
  if (problem.empty() && !log_->weights_path().empty()) {
    problem = one_line(save_weights(log_->weights_path(), model(), material_.method->info.id, step_));
  }
  if (!problem.empty()) {
    // Nobody waits for space once a stop was asked for.
    if (stopping_) throw std::runtime_error(problem);
    disk_trouble(problem);
    return;
  }
  log::info("finished at step " + std::to_string(step_));
  finished_ = true;
  set_state(RunState::kFinished);
  clock_.enter(Phase::kBetween);
}

void Trainer::fail(const std::exception_ptr& exception) {
  const bus::Failure failure{clock_.step(), phase_name(clock_.current()), one_line(exception)};
  log::error("failed at step " + std::to_string(failure.step) + " in " + failure.phase + ": " + failure.message);
  if (log_) log_->flush();
  channels_->status.update([&](bus::RunStatus& status) {
    status.state = RunState::kFailed;
    status.step = failure.step;
    status.activity.clear();
    status.failure = failure;
  });
}

void Trainer::set_state(RunState state) {
  channels_->status.update([&](bus::RunStatus& status) {
    status.state = state;
    status.step = step_;
    status.activity = disk_problem_;
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
