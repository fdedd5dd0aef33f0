// What a command does. Each gets one reply: done at this step boundary, or refused and why.
#include <cmath>
#include <utility>

#include "core/base/log.h"
#include "core/base/seed.h"
#include "core/base/text.h"
#include "core/train/distil.h"
#include "core/train/messages.h"
#include "core/train/sentence.h"
#include "core/train/trainer.h"
#include "core/train/weights_file.h"

namespace moescope::train {

using bus::Command;
using bus::CommandKind;
using bus::RunState;
using telemetry::Event;

namespace {

/// Which streams a window wants is no part of the experiment.
bool journalled(CommandKind kind) { return kind != CommandKind::kWatch; }

}  // namespace

void Trainer::serve_script() {
  const std::vector<ScheduledCommand>& script = request_.script;
  for (; script_done_ < script.size() && script[script_done_].step <= step_; ++script_done_)
    serve(script[script_done_].command);
}

void Trainer::serve_commands() {
  for (const Command& command : channels_->commands.drain()) serve(command);
}

/// Log first, act second: a command that is in the journal acts, if not now then when the run is gone on with.
void Trainer::serve(const Command& command) {
  bus::Reply reply;
  reply.command = command;
  Outcome outcome = refused("");
  std::string problem;
  if (journalled(command.kind)) {
    clock_.enter(Phase::kRecord);
    if (log_) problem = log_->log(command, step_);
  }
  if (!problem.empty() && bus::changes_training(command.kind)) {
    outcome = refused("not done, since it could not be written to the journal: " + problem);
  } else {
    outcome = carry_out(command, reply);
    if (journalled(command.kind) && problem.empty() && log_) {
      reply.number = log_->commands();
      log_->answer(reply.number, outcome.done, outcome.text);
    }
  }
  reply.done = outcome.done;
  reply.step = step_;
  reply.text = outcome.text;
  reply.old_value = outcome.old_value;
  channels_->replies.push_drop_oldest(std::move(reply));
  clock_.enter(Phase::kBetween);
}

Outcome Trainer::carry_out(const Command& command, bus::Reply& reply) {
  if (finished_) return apply_when_finished(command, reply);
  if (!bus::changes_training(command.kind)) return apply(command, reply);
  const std::int64_t behind = log_->commands() - 1;
  if (command.kind == CommandKind::kSwitchStage) {
    save_checkpoint(record::CheckpointKind::kStage, behind);
  } else {
    take_snapshot(behind);
  }
  Outcome outcome = apply(command, reply);
  if (outcome.done)
    acted_.push_back({log_->commands(), step_, command, {}, record::CommandRow::Result{true, outcome.text}});
  return outcome;
}

Outcome Trainer::apply(const Command& command, bus::Reply& reply) {
  switch (command.kind) {
    case CommandKind::kPause: return pause();
    case CommandKind::kResume: return resume();
    case CommandKind::kStep: return run_steps(command.count);
    case CommandKind::kStop: return stop();
    case CommandKind::kFreezeRouter:
    case CommandKind::kUnfreezeRouter:
    case CommandKind::kFreezeExpert:
    case CommandKind::kUnfreezeExpert:
    case CommandKind::kPinAssignment:
    case CommandKind::kUnpinAssignment:
    case CommandKind::kSwitchStage: return steer(command);
    case CommandKind::kSet: return set(command);
    case CommandKind::kProbeSentence: return sentence(command, reply);
    case CommandKind::kSaveWeights: return save(command);
    case CommandKind::kCheckpoint: return checkpoint();
    case CommandKind::kWatch: watch_->set_wants(command.wants); return accepted("");
  }
  return refused("this trainer does not know the command");
}

Outcome Trainer::apply_when_finished(const Command& command, bus::Reply& reply) {
  const bool answered = command.kind == CommandKind::kProbeSentence || command.kind == CommandKind::kSaveWeights;
  return answered && material_.model ? apply(command, reply) : refused("the run is finished");
}

Outcome Trainer::pause() {
  if (paused_) return refused("already paused");
  paused_ = true;
  steps_until_pause_ = 0;
  set_state(RunState::kPaused);
  return accepted("paused");
}

Outcome Trainer::resume() {
  if (!trouble_.empty()) {
    if (std::string problem = log_->flush(); !problem.empty()) return refused("still not written: " + problem);
    trouble_.clear();
  } else if (!paused_) {
    return refused("already running");
  }
  paused_ = false;
  steps_until_pause_ = 0;
  set_state(RunState::kRunning);
  return accepted("running");
}

Outcome Trainer::run_steps(std::int64_t count) {
  if (count < 1) return refused("step needs a number of steps, 1 or more");
  if (!trouble_.empty()) return refused("resume first: " + trouble_);
  paused_ = false;
  steps_until_pause_ = count;
  set_state(RunState::kRunning);
  return accepted("running " + std::to_string(count) + (count == 1 ? " step" : " steps"));
}

Outcome Trainer::stop() {
  stopping_ = true;
  set_state(RunState::kStopping);
  return accepted("stopping");
}

Outcome Trainer::steer(const Command& command) {
  const std::string distilled = distil_for(command);
  mark_break(command);
  Outcome outcome = controls_->apply(command);
  outcome.text += distilled;
  if (outcome.done) mark(command, outcome.text);
  return outcome;
}

Outcome Trainer::set(const Command& command) {
  Outcome outcome = settings_->set(command.key, command.value, step_);
  if (outcome.done) {
    const std::string section = "moe.router.";
    if (command.key.starts_with(section)) material_.objective->set(command.key.substr(section.size()), command.value);
    mark(command, outcome.text);
  }
  return outcome;
}

/// Makes the tables that `command` would pin to, and says how well they repeat the router: " (a table by token …)".
std::string Trainer::distil_for(const Command& command) {
  const std::vector<int> layers = controls_->layers_to_distil(command);
  if (layers.empty()) return {};
  clock_.enter(Phase::kProbe);
  channels_->status.update([](bus::RunStatus& status) { status.activity = "distilling the assignment"; });
  const auto seed = static_cast<std::uint64_t>(request_.config.top.seed);
  const Distilled made = distil_choices(model(), *material_.stream, step_, seed, layers);
  channels_->status.update([](bus::RunStatus& status) { status.activity.clear(); });
  double agreement = 0;
  for (const int layer : layers) agreement += made.agreement[static_cast<std::size_t>(layer)];
  const auto percent = std::lround(100 * agreement / static_cast<double>(layers.size()));
  return " to a table by token, distilled from " + with_thousands(made.tokens) + " tokens; it repeats " +
         std::to_string(percent) + " % of the router's choices";
}

void Trainer::mark(const Command& command, const std::string& text) {
  if (retracing_) return;
  const bool stage = command.kind == CommandKind::kSwitchStage;
  events_.push_back({stage ? Event::Kind::kStageSwitch : Event::Kind::kCommand, step_, text, command.who});
  log::info("step " + std::to_string(step_) + ": " + command.who + ": " + text);
}

Outcome Trainer::sentence(const Command& command, bus::Reply& reply) {
  bus::SentenceResult result;
  const std::uint64_t seed = derive_seed(static_cast<std::uint64_t>(request_.config.top.seed), "sentence", command.seq);
  try {
    Outcome outcome = probe_sentence(model(), *material_.corpus, request_.config, command.text, seed, result);
    if (outcome.done) reply.sentence = std::move(result);
    return outcome;
  } catch (...) {  // nothing of the run was touched: the run goes on
    return refused("could not be routed: " + one_line(std::current_exception()));
  }
}

Outcome Trainer::save(const Command& command) {
  if (command.text.empty()) return refused("a file name is missing");
  const Status saved = save_weights(command.text, model(), material_.method->info.id, step_);
  if (!saved) return refused("not saved: " + one_line(saved));
  return accepted("saved to " + command.text);
}

Outcome Trainer::checkpoint() {
  if (!log_->writes()) return refused("this run writes nothing: it was started without a folder");
  save_checkpoint(record::CheckpointKind::kAsked, log_->commands());
  if (const std::string problem = note_checkpoints(true); !problem.empty()) return refused(problem);
  return accepted("checkpoint of step " + with_thousands(step_) + " saved");
}

void Trainer::refuse_waiting(const std::string& why) {
  for (Command& command : channels_->commands.drain()) {
    bus::Reply reply;
    reply.command = std::move(command);
    reply.step = step_;
    reply.text = why;
    if (log_ && journalled(reply.command.kind) && log_->log(reply.command, step_).empty())
      log_->answer(log_->commands(), false, why);
    channels_->replies.push_drop_oldest(std::move(reply));
  }
}

}  // namespace moescope::train
