#include "core/train/verify_run.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "core/base/text.h"
#include "core/record/run_reader.h"
#include "core/telemetry/frame_difference.h"
#include "core/train/determinism.h"
#include "core/train/messages.h"
#include "core/train/trainer.h"

namespace moescope::train {

namespace {

using record::CommandRow;
using record::StateHashRow;

constexpr std::int64_t kPiece = 256;  ///< recorded frames in memory at once

/// The recorded frames one after another, read in pieces.
class RecordedFrames {
 public:
  explicit RecordedFrames(record::RunReader& reader) : reader_(reader) {}
  /// Null when it cannot be read.
  telemetry::FramePtr at(std::int64_t step) {
    if (step < first_ || step >= first_ + kPiece) {
      first_ = step;
      frames_ = reader_.frames(first_, first_ + kPiece - 1);
    }
    const auto found = std::find_if(frames_.begin(), frames_.end(), [&](const auto& one) { return one->step == step; });
    return found == frames_.end() ? nullptr : *found;
  }

 private:
  record::RunReader& reader_;
  std::int64_t first_ = -kPiece;
  std::vector<telemetry::FramePtr> frames_;
};

/// Names of tensors whose hashes differ, or that only one side has.
std::vector<std::string> differing(const std::vector<record::TensorHash>& was,
                                   const std::vector<record::TensorHash>& is) {
  std::vector<std::string> names;
  std::map<std::string, std::uint64_t> before;
  for (const record::TensorHash& one : was) before[one.name] = one.hash;
  for (const record::TensorHash& one : is) {
    const auto found = before.find(one.name);
    if (found == before.end() || found->second != one.hash) names.push_back(one.name);
    if (found != before.end()) before.erase(found);
  }
  for (const auto& [name, hash] : before) names.push_back(name);
  return names;
}

class Verification {
 public:
  Verification(const VerifyRequest& request, record::RunReader& reader)
      : reader_(reader),
        journal_(reader.commands()),
        hashes_(reader.state_hashes()),
        frames_(reader),
        trainer_(run_request(request, reader), std::make_shared<bus::Channels>(), hooks(request)) {}

  Verdict run(const VerifyRequest& request, const std::function<void(std::int64_t, std::int64_t)>& progress,
              const std::stop_token& stop) {
    trainer_.prepare(stop);
    compare_class(request);
    verdict_.last_step = reader_.last_step();
    std::int64_t behind = start(request);
    verdict_.first_step = trainer_.steps_done();
    auto told = std::chrono::steady_clock::now();
    while (verdict_.what.empty()) {
      const std::int64_t step = trainer_.steps_done();
      behind = act(behind, step);
      if (!verdict_.what.empty() || step >= verdict_.last_step) break;
      if (stop.stop_requested()) {
        verdict_.stopped = true;
        verdict_.last_step = step;
        break;
      }
      compare(*trainer_.step());
      const auto now = std::chrono::steady_clock::now();
      if (progress && now - told > std::chrono::milliseconds(100)) {
        told = now;
        progress(trainer_.steps_done(), verdict_.last_step);
      }
    }
    if (!verdict_.what.empty()) name_tensors(behind);
    for (const std::string& damage : reader_.damages()) verdict_.notes.push_back(damage);
    verdict_.equal = verdict_.what.empty() && !verdict_.stopped && verdict_.hashes > 0;
    return std::move(verdict_);
  }

 private:
  static RunRequest run_request(const VerifyRequest& request, const record::RunReader& reader) {
    RunRequest made;
    made.config = request.config;
    use_recorded_threads(reader.facts().determinism, made.config.train);
    made.cache_folder = request.cache_folder;
    made.watched = false;
    made.pause_when_disk_full = false;
    return made;
  }
  static TrainerHooks hooks(const VerifyRequest& request) {
    TrainerHooks made;
    made.corpus = request.corpus;
    return made;
  }

  void compare_class(const VerifyRequest& request) {
    const auto& was = reader_.facts().determinism;
    const auto is = determinism_class(request.config, trainer_.material());
    require_same_corpus(was, is);
    if (std::string other = class_difference(was, is); !other.empty()) verdict_.notes.push_back(std::move(other));
  }

  /// Where the comparison begins; returns how many commands have acted by then.
  std::int64_t start(const VerifyRequest& request) {
    const bool forked = !reader_.facts().parent_id.empty();
    const std::int64_t from = forked ? std::max(request.from_step, reader_.facts().parent_step) : request.from_step;
    if (from <= 0) return 0;
    const auto checkpoint = trainer_.load(reader_, from, static_cast<std::int64_t>(journal_.size()));
    if (checkpoint) return checkpoint->commands;
    if (forked) throw std::runtime_error("the checkpoint that this fork began with is not there or is damaged");
    return 0;
  }

  /// The commands of boundary `step` act. Returns how many are behind then.
  std::int64_t act(std::int64_t behind, std::int64_t step) {
    for (const CommandRow& row : journal_) {
      if (row.number <= behind) continue;
      if (row.apply_step > step) break;
      behind = row.number;
      if (!bus::changes_training(row.command.kind)) continue;
      const Outcome outcome = trainer_.act_again(row.command);
      ++verdict_.commands;
      if (!row.result || (row.result->done == outcome.done && row.result->text == outcome.text)) continue;
      differs(step, "the answer to command " + std::to_string(row.number) + " is '" + outcome.text + "' and was '" +
                        printable(row.result->text) + "'");
      break;
    }
    return behind;
  }

  void compare(const telemetry::TelemetryFrame& now) {
    if (const telemetry::FramePtr then = frames_.at(now.step)) {
      ++verdict_.frames;
      if (std::string found = telemetry::difference(*then, now); !found.empty())
        return differs(now.step, std::move(found));
    }
    const StateHashRow* then = hash_at(now.step);
    if (then == nullptr) return;
    ++verdict_.hashes;
    const StateHash is = trainer_.state_hash();
    if (is.hash == then->hash) {
      verdict_.last_equal = now.step;
    } else {
      differs(now.step, "the hash of the whole state");
      verdict_.tensors = differing(then->tensors, is.tensors);
    }
  }

  /// A frame differed: the next recorded hash of the state says which tensors do.
  void name_tensors(std::int64_t behind) {
    while (verdict_.tensors.empty() && trainer_.steps_done() < verdict_.last_step) {
      const std::int64_t step = trainer_.steps_done();
      if (const StateHashRow* then = hash_at(step); then != nullptr && step >= verdict_.differs_at) {
        verdict_.tensors = differing(then->tensors, trainer_.state_hash().tensors);
        if (!verdict_.tensors.empty()) return;
      }
      if (std::none_of(hashes_.begin(), hashes_.end(), [&](const StateHashRow& row) { return row.step > step; }))
        return;
      for (const CommandRow& row : journal_) {
        if (row.number <= behind || row.apply_step > step) continue;
        behind = row.number;
        if (bus::changes_training(row.command.kind)) static_cast<void>(trainer_.act_again(row.command));
      }
      static_cast<void>(trainer_.step());
    }
  }

  const StateHashRow* hash_at(std::int64_t step) const {
    const auto found = std::find_if(hashes_.begin(), hashes_.end(), [&](const auto& row) { return row.step == step; });
    return found == hashes_.end() ? nullptr : &*found;
  }

  void differs(std::int64_t step, std::string what) {
    verdict_.differs_at = step;
    verdict_.what = std::move(what);
  }

  record::RunReader& reader_;
  std::vector<CommandRow> journal_;
  std::vector<StateHashRow> hashes_;
  RecordedFrames frames_;
  Trainer trainer_;
  Verdict verdict_;
};

}  // namespace

Result<Verdict> verify_run(const VerifyRequest& request,
                           const std::function<void(std::int64_t, std::int64_t)>& progress,
                           const std::stop_token& stop) {
  auto opened = record::RunReader::open(request.folder);
  if (!opened) return opened.error();
  record::RunReader& reader = **opened;
  if (const std::string broken = reader.journal_problem(); !broken.empty())
    return error(broken, "a journal is only ever added to; this one is not as it was written");
  if (reader.last_step() == 0)
    return error(
        "the run " + printable(request.folder) +
        (reader.damages().empty() ? " has recorded no step yet" : " is damaged: none of its steps can be read"));
  try {
    Verification verification(request, reader);
    return verification.run(request, progress, stop);
  } catch (const std::exception& problem) {
    return error(problem.what());
  }
}

}  // namespace moescope::train
