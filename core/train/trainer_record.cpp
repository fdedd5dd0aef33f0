// What is kept of a run while it goes on: its record, hashes, checkpoints, snapshots in memory.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/train/determinism.h"
#include "core/train/messages.h"
#include "core/train/trainer.h"
#include "core/train/weights_file.h"

namespace moescope::train {

using bus::RunState;
using record::CheckpointKind;

namespace {

constexpr auto kRetryAfter = std::chrono::milliseconds(500);

std::int64_t now_ns() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

/// What is recorded of a place is read from other places.
std::string full_path(const std::string& folder) {
  std::error_code failure;
  const std::filesystem::path full = std::filesystem::weakly_canonical(folder, failure);
  return failure ? folder : full.string();
}

}  // namespace

void Trainer::begin_record(std::vector<telemetry::ProbeToken> probe) {
  telemetry::RunInfo info = run_info(request_, material_, std::move(probe));
  record::RunFacts facts;
  if (continues(request_)) {
    facts = past_->facts();
    info.parent_folder = facts.parent_folder;
    info.parent_step = facts.parent_step;
    log_->go_on(past_->commands(), past_->checkpoints());
  } else {
    facts.id = record::new_run_id();
    facts.name = request_.config.top.name;
    facts.method = material_.method->info.id;
    facts.config_toml = info.config_toml;
    facts.determinism = determinism_class(request_.config, material_);
    facts.created_ns = now_ns();
    if (past_) {
      info.parent_folder = facts.parent_folder = full_path(past_->folder());
      info.parent_step = facts.parent_step = past_step();
      facts.parent_id = past_->facts().id;
      facts.parent_commands = commands_wanted(past_->commands());
      facts.older_ids = past_->facts().ancestors();
    }
  }
  info.ancestors = facts.ancestors();
  run_id_ = facts.id;
  if (log_->writes()) info.id = facts.id;
  if (!continues(request_)) log_->begin(facts, info);
  log::info(material_.method->info.title + " on " + info.corpus + ": " + with_thousands(info.num_parameters) +
            " parameters, " + std::to_string(info.threads) + (info.threads == 1 ? " thread" : " threads"));
  channels_->runs.push_drop_oldest(std::make_shared<telemetry::RunInfo>(std::move(info)));
}

TrainingState Trainer::state() {
  return {model(),    *material_.objective,    *optimizer_, *controls_, *settings_, schedule_, *watch_, step_,
          stage_due_, request_.config.top.seed};
}

/// After each step: a hash, a checkpoint and a copy in memory, each when it is due.
void Trainer::keep_state() {
  clock_.enter(Phase::kRecord);
  const config::RecordConfig& record = request_.config.record;
  const bool hashed = step_ % record.hash_every == 0 && (log_->writes() || retracing_);
  if (hashed) {
    StateHash hash = hash_of(state());
    if (retracing_) {
      compare_with_past(hash);
    } else {
      log_->add(
          record::StateHashRow{step_, hash.hash, log_->commands(), log_->journal_hash(), std::move(hash.tensors)});
    }
  }
  const bool saved = !retracing_ && log_->writes() && record.checkpoint_every > 0 &&
                     step_ % record.checkpoint_every == 0 && step_ < request_.config.train.steps;
  if (saved) {
    save_checkpoint(CheckpointKind::kRegular, log_->commands());
  } else if (step_ % kSnapshotEvery == 0) {
    take_snapshot(retracing_ ? retraced_ : log_->commands());
  }
}

void Trainer::take_snapshot(std::int64_t commands) {
  newest_ = {run_id_, step_, commands, capture(state())};
  acted_.clear();
  if (request_.ring) request_.ring->add(newest_);
}

void Trainer::save_checkpoint(CheckpointKind kind, std::int64_t commands) {
  take_snapshot(commands);
  if (!log_->writes()) return;
  record::CheckpointRow row;
  row.step = step_;
  row.kind = kind;
  row.commands = commands;
  row.state_hash = hash_of(*newest_.blocks).hash;
  log_->checkpoint(row, newest_.blocks,
                   {{"format", "moescope checkpoint 1"},
                    {"run", run_id_},
                    {"method", material_.method->info.id},
                    {"step", std::to_string(step_)},
                    {"commands", std::to_string(commands)},
                    {"kind", record::checkpoint_kind_name(kind)},
                    {"state_hash", row.state_hash}});
}

/// Takes note of checkpoints that were finished, and tells which there are. Returns what went wrong.
std::string Trainer::note_checkpoints(bool wait) {
  std::string problem = log_->note_checkpoints(wait);
  // One whose row waits for space on the disk would not be found again.
  if (!log_->trouble().empty()) return problem;
  if (auto kept = log_->take_changed_checkpoints())
    channels_->status.update([&](bus::RunStatus& status) { status.checkpoints = std::move(*kept); });
  return problem;
}

/// Pauses when the record cannot be written, and goes on by itself once it can be again.
void Trainer::watch_disk() {
  if (std::string problem = note_checkpoints(false); !problem.empty()) notice(problem);
  const std::string trouble = log_->trouble();
  if (trouble.empty() == trouble_.empty() || std::chrono::steady_clock::now() < retry_at_) return;
  trouble_ = trouble;
  if (finished_) return;  // nothing left to hold up; the recorder keeps the rows
  if (trouble.empty()) {
    log::info("the record is written again");
    set_state(paused_ ? RunState::kPaused : RunState::kRunning);
    return;
  }
  clock_.enter(Phase::kRecord);
  if (!request_.pause_when_disk_full) throw std::runtime_error(trouble);
  log::warning("paused: " + trouble);
  notice(trouble);
  set_state(RunState::kPaused);
  clock_.enter(Phase::kBetween);
}

void Trainer::finish() {
  clock_.enter(Phase::kRecord);
  set_state(RunState::kStopping);
  std::string problem = log_->flush();
  if (problem.empty() && log_->writes()) {
    if (step_ > 0) save_checkpoint(CheckpointKind::kFinal, log_->commands());
    // Without it the run can still be gone on with, from an older one.
    if (const std::string lack = note_checkpoints(true); !lack.empty()) notice(lack);
    problem = one_line(save_weights(log_->weights_path(), model(), material_.method->info.id, step_));
  }
  if (problem.empty()) problem = log_->flush();
  if (!problem.empty()) {
    // Nobody waits for space once a stop was asked for.
    if (stopping_ || !request_.pause_when_disk_full) throw std::runtime_error(problem);
    if (trouble_ != problem) notice(problem);
    trouble_ = problem;
    retry_at_ = std::chrono::steady_clock::now() + kRetryAfter;
    set_state(RunState::kPaused);
    return;
  }
  log::info("finished at step " + std::to_string(step_));
  finished_ = true;
  set_state(RunState::kFinished);
  clock_.enter(Phase::kBetween);
}

void Trainer::fail(const std::exception_ptr& exception) {
  bus::Failure failure{std::max(trying_, step_), phase_name(clock_.current()), one_line(exception)};
  if (is_out_of_memory(exception) && material_.model)
    failure.message += "; the run needs " + in_words(material_.memory);
  log::error("failed at step " + std::to_string(failure.step) + " in " + failure.phase + ": " + failure.message);
  try {
    if (watch_ && log_ && log_->writes()) {
      // For looking at, never to go on from: the step may be half done.
      save_checkpoint(CheckpointKind::kTainted, log_->commands());
      log_->add(record::EventRow{failure.step, "failure", failure.phase + ": " + failure.message, "lab"});
      static_cast<void>(note_checkpoints(true));
      static_cast<void>(log_->flush());
    }
  } catch (...) {
    log::warning("the state of the failed step could not be saved: " + one_line(std::current_exception()));
  }
  channels_->status.update([&](bus::RunStatus& status) {
    status.state = RunState::kFailed;
    status.step = step_;
    status.activity.clear();
    status.failure = failure;
  });
}

}  // namespace moescope::train
