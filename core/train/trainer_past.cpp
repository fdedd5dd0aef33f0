// Where a run starts from when not from nothing: a recorded run, gone on with or forked; and the way back to a step
// boundary when memory ran out in the middle of a step. Both put an older state back and train again from there: the
// same bits, since nothing that steers training is outside the state and the journal.
#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/train/determinism.h"
#include "core/train/messages.h"
#include "core/train/trainer.h"

namespace moescope::train {

using record::CheckpointRow;
using record::CommandRow;

namespace {

/// Those that act again, of numbers in (after, until].
std::vector<CommandRow> acting(const std::vector<CommandRow>& journal, std::int64_t after, std::int64_t until) {
  std::vector<CommandRow> rows;
  for (const CommandRow& row : journal) {
    const bool refused_then = row.result && !row.result->done;
    if (row.number > after && row.number <= until && bus::changes_training(row.command.kind) && !refused_then)
      rows.push_back(row);
  }
  return rows;
}

std::string steps_text(std::int64_t from, std::int64_t to) {
  return with_thousands(from) + " to " + with_thousands(to);
}

}  // namespace

void Trainer::open_past() {
  if (!request_.origin) return;
  auto opened = record::RunReader::open(request_.origin->folder);
  if (!opened) throw std::runtime_error(one_line(opened.error()));
  past_ = std::move(*opened);
  const std::int64_t wanted = request_.origin->step, last = past_->last_step();
  const std::vector<CheckpointRow> checkpoints = past_->checkpoints();
  // A checkpoint needs nothing else of a damaged record to begin a run with.
  const CheckpointRow* from = continues(request_) ? nullptr : record::starting_at(checkpoints, past_step());
  const std::string broken = past_->journal_problem();
  if (!broken.empty() || (from != nullptr && from->commands > static_cast<std::int64_t>(past_->commands().size()))) {
    const std::int64_t asked = request_.origin->commands;
    if (from == nullptr || (asked != Origin::kNewest && asked != from->commands))
      throw std::runtime_error(broken + "; it can be forked only at the step of a checkpoint, with all its commands");
    past_journal_ends_ = from->commands;
  }
  if (wanted > last && from == nullptr) {
    throw std::runtime_error("the run " + printable(past_->folder()) + " is recorded up to step " +
                             with_thousands(last) + ", not to " + with_thousands(wanted));
  }
  // Probes of a run that was begun without one would have no tokens.
  if (continues(request_) && past_->last_step() > 0 && past_->info().probe.empty()) request_.watched = false;
  use_recorded_threads(past_->facts().determinism, request_.config.train);
}

/// The step boundary of the recorded run that this one starts from.
std::int64_t Trainer::past_step() const {
  return request_.origin->step == Origin::kNewest ? past_->last_step() : request_.origin->step;
}

std::int64_t Trainer::commands_wanted(const std::vector<CommandRow>& journal) const {
  if (past_journal_ends_) return *past_journal_ends_;
  const auto all = static_cast<std::int64_t>(journal.size());
  if (request_.origin->commands != Origin::kNewest) return std::clamp<std::int64_t>(request_.origin->commands, 0, all);
  if (request_.origin->step == Origin::kNewest) return all;
  return std::count_if(journal.begin(), journal.end(),
                       [&](const CommandRow& row) { return row.apply_step < past_step(); });
}

void Trainer::start_from_past() {
  const std::vector<CommandRow> journal = past_->commands();
  const std::int64_t target = past_step(), commands = commands_wanted(journal);
  const auto is = determinism_class(request_.config, material_);
  const auto& was = past_->facts().determinism;
  require_same_corpus(was, is);
  if (const std::string other = class_difference(was, is); !other.empty()) say_inexact(other);
  past_hashes_ = past_->state_hashes();

  std::int64_t behind = 0;  // commands that have acted
  const std::size_t told_before = events_.size();
  const Snapshot snapshot = request_.ring ? request_.ring->newest(past_->facts().id, target, commands) : Snapshot{};
  if (snapshot.blocks && (!past_journal_ends_ || snapshot.step == target)) {
    restore(state(), *snapshot.blocks);
    newest_ = snapshot;
    behind = snapshot.commands;
  } else if (const auto from = load(*past_, target, commands)) {
    behind = from->commands;
  } else if (!past_->facts().parent_id.empty()) {
    throw std::runtime_error("this run begins at step " + with_thousands(past_->facts().parent_step) + " of " +
                             printable(past_->facts().parent_folder) + "; name that one for an earlier step");
  }
  if (step_ < target && past_journal_ends_)
    throw std::runtime_error("its checkpoint at step " + with_thousands(target) +
                             " is damaged, and so is the journal that leads there from an older one");
  clock_.set_step(step_);
  if (step_ < target)
    log::info("trains steps " + steps_text(step_ + 1, target) + " again, with the commands of the journal");
  // What was passed over is told with the first new step; events of steps trained again are not.
  const std::vector<telemetry::Event> passed_over(events_.begin() + static_cast<std::ptrdiff_t>(told_before),
                                                  events_.end());
  retrace(acting(journal, behind, commands), target);
  events_.insert(events_.end(), passed_over.begin(), passed_over.end());
  past_hashes_.clear();
  while (script_done_ < request_.script.size() && request_.script[script_done_].step < step_) ++script_done_;
}

std::optional<CheckpointRow> Trainer::load(record::RunReader& recorded, std::int64_t step, std::int64_t commands) {
  std::vector<CheckpointRow> rows = recorded.checkpoints();
  std::vector<std::string> passed_over;
  const auto tell = [&](const std::string& used) {
    for (const std::string& problem : passed_over) notice("checkpoint " + problem + "; " + used);
  };
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->step > step || row->commands > commands || row->kind == record::CheckpointKind::kTainted) continue;
    const std::string path = recorded.checkpoint_path(*row);
    Result<record::SafetensorsFile> file = record::read_safetensors(path);
    std::string problem;
    if (!file) {
      problem = file.error().front().message;
    } else if (hash_of(file->blocks).hash != row->state_hash) {
      problem = "its content is not what was saved";
    }
    if (problem.empty()) {
      restore(state(), file->blocks);
      newest_ = {run_id_, step_, row->commands,
                 std::make_shared<std::vector<record::TensorBlock>>(std::move(file->blocks))};
      tell(row->file + " is used instead");
      return *row;
    }
    passed_over.push_back(row->file + " cannot be used: " + problem);
  }
  tell("the run is trained again from its beginning");
  return std::nullopt;
}

/// From the present boundary to `target`; rows rise by step. Ends early when a stop is asked for.
void Trainer::retrace(const std::vector<CommandRow>& rows, std::int64_t target) {
  retracing_ = true;
  retraced_ = newest_.commands;
  const std::int64_t first = step_;
  auto row = rows.begin();
  while (true) {
    for (; row != rows.end() && row->apply_step <= step_; ++row) act_of_journal(*row);
    if (step_ >= target) break;
    if (stop_.stop_requested()) throw std::runtime_error("stopped while recorded steps were trained again");
    channels_->status.update([&](bus::RunStatus& status) {
      status.step = step_;
      status.activity = "training steps " + steps_text(first + 1, target) + " again";
      status.progress = static_cast<double>(step_ - first) / static_cast<double>(target - first);
    });
    step();
  }
  retracing_ = false;
  events_.clear();
  channels_->status.update([&](bus::RunStatus& status) {
    status.step = step_;
    status.activity.clear();
    status.progress = -1;
  });
}

void Trainer::act_of_journal(const CommandRow& row) {
  const Outcome outcome = act_again(row.command);
  acted_.push_back(row);
  retraced_ = row.number;
  if (!row.result) {  // logged, and the run ended before it acted
    if (continues(request_)) log_->answer(row.number, outcome.done, outcome.text);
  } else if (outcome.done != row.result->done) {
    say_inexact("command " + std::to_string(row.number) +
                " is answered otherwise than when it was recorded: " + outcome.text);
  }
}

Outcome Trainer::act_again(const bus::Command& command) {
  bus::Reply unread;
  const bool retraced = std::exchange(retracing_, true);
  Outcome outcome = apply(command, unread);
  retracing_ = retraced;
  return outcome;
}

void Trainer::compare_with_past(const StateHash& now) {
  const auto then = std::find_if(past_hashes_.begin(), past_hashes_.end(),
                                 [&](const record::StateHashRow& row) { return row.step == step_; });
  if (then == past_hashes_.end() || then->hash == now.hash) return;
  past_hashes_.clear();  // once is enough
  say_inexact("at step " + with_thousands(step_) + " the state is not the recorded one");
}

void Trainer::say_inexact(const std::string& why) {
  log::warning("not bit-exact: " + why);
  if (log_) log_->add(record::EventRow{step_, "inexact", why, "lab"});
  channels_->status.update([&](bus::RunStatus& status) {
    if (status.inexact.empty()) status.inexact = why;
  });
}

bool Trainer::try_step() {
  try {
    step();
    return true;
  } catch (...) {
    const Phase phase = clock_.current();
    if (!recover(std::current_exception())) {
      if (clock_.current() != phase) clock_.enter(phase);  // where it failed, not where the way back ended
      throw;
    }
    trying_ = step_;
    return false;
  }
}

/// After a step that ran out of memory: back to the boundary before it, from where it may be tried again.
bool Trainer::recover(const std::exception_ptr& exception) {
  if (!is_out_of_memory(exception) || !newest_.blocks) return false;
  const Phase phase = clock_.current();
  const std::int64_t boundary = told_;
  const std::string text = "step " + with_thousands(boundary + 1) + " ran out of memory in " + phase_name(phase) +
                           "; nothing of it is kept. Resume tries it again";
  // Data, forward and backward write nothing that lasts; an update may be half done.
  const bool clean =
      step_ == boundary && (phase == Phase::kData || phase == Phase::kForward || phase == Phase::kBackward);
  const bool again = std::exchange(shortage_step_, boundary) == boundary;
  optimizer_->clear_gradients();
  if (!clean) {
    restore(state(), *newest_.blocks);
    const std::vector<CommandRow> rows = std::exchange(acted_, {});
    retrace(rows, boundary);
  }
  clock_.set_step(step_);
  log::warning(text);
  if (request_.pause_when_disk_full) {
    paused_ = true;
    steps_until_pause_ = 0;
    notice(text);
    set_state(bus::RunState::kPaused);
    channels_->status.update([&](bus::RunStatus& status) { status.activity = text; });
    return true;
  }
  return !again;  // nobody is there to decide: once more, then it is the run's end
}

}  // namespace moescope::train
