#include "app/cli/compare_train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <utility>

#include "app/cli/interrupt.h"
#include "app/cli/progress_line.h"
#include "app/cli/terminal.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/record/output_file.h"
#include "core/train/trainer_thread.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// One line for the whole comparison.
class Progress {
 public:
  explicit Progress(const Plan& plan) : plan_(plan) {
    for (const PlannedRun& run : plan.runs)
      if (!run.complete) steps_to_do_ += run.config.train.steps;
  }

  void begin(std::size_t index) {
    index_ = index;
    if (!line_.visible() && !plan_.runs[index].complete) line_.say(head());
  }
  void activity(const std::string& text, double fraction) {
    line_.show(head() + "  " + text + (fraction >= 0 ? ' ' + bar(fraction, 8) : "…"));
  }
  void frame(const telemetry::TelemetryFrame& frame) {
    step_ = frame.step;
    const std::int64_t total = plan_.runs[index_].config.train.steps;
    const double done = static_cast<double>(steps_done_ + step_);
    std::string text = head() + "  " + with_thousands(step_) + '/' + with_thousands(total) + ' ' +
                       bar(static_cast<double>(step_) / static_cast<double>(total), 12);
    if (const double loss = task_loss(frame); std::isfinite(loss)) text += "  " + bits_text(loss);
    const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    if (seconds > 2 && done > 0)
      text += "  " + duration_text(seconds / done * (static_cast<double>(steps_to_do_) - done)) + " left";
    line_.show(text);
  }
  void end() { steps_done_ += std::exchange(step_, 0); }
  void say(const std::string& text) { line_.say(text); }

  /// "run 4 of 12: stablemoe, seed 8"
  std::string head() const {
    const PlannedRun& run = plan_.runs[index_];
    return "run " + std::to_string(index_ + 1) + " of " + std::to_string(plan_.runs.size()) + ": " +
           plan_.configurations[run.configuration].name + ", seed " + std::to_string(run.seed);
  }

 private:
  const Plan& plan_;
  StatusLine line_;
  std::size_t index_ = 0;
  std::int64_t steps_to_do_ = 0, steps_done_ = 0, step_ = 0;
  Clock::time_point started_ = Clock::now();
};

/// Whether the folder's report answers what is asked now.
bool is_evaluated(const PlannedRun& run, const Configuration& configuration, const CompareOptions& options) {
  std::ifstream file(fs::path(run.folder) / "report.json");
  const auto json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object() || !json.contains("rules") || !json["rules"].is_array()) return false;
  if (json.value("batches", 0) != options.batches || json.value("asked_routings", 0) != options.routings) return false;
  const auto& rules = json["rules"];
  if (rules.size() != configuration.rules.size() + 1) return false;
  for (std::size_t i = 0; i < configuration.rules.size(); ++i)
    if (rules[i + 1].value("rule", std::string()) != configuration.rules[i].name) return false;
  return true;
}

class Work {
 public:
  Work(const Plan& plan, const CompareOptions& options) : plan_(plan), options_(options), progress_(plan) {}

  int all() {
    for (std::size_t i = 0; i < plan_.runs.size(); ++i) {
      progress_.begin(i);
      const PlannedRun& run = plan_.runs[i];
      int code = run.complete ? kDone : train(run);
      if (code == kDone && !is_evaluated(run, configuration(run), options_)) code = evaluate(run);
      if (code == kInterrupted) say_stopped(i);
      if (code != kDone) return code;
      progress_.end();
    }
    return kDone;
  }

 private:
  const Configuration& configuration(const PlannedRun& run) const { return plan_.configurations[run.configuration]; }

  int train(const PlannedRun& run) {
    if (interrupted()) return kInterrupted;
    train::RunRequest request;
    if (run.unfinished) {
      request.origin =
          train::Origin{train::Origin::Use::kContinue, run.folder, train::Origin::kNewest, train::Origin::kNewest};
      progress_.say(progress_.head() + " did not end last time and goes on from step " + with_thousands(run.last_step));
    }
    request.config = run.config;
    request.source_text = run.source;
    request.folder = run.folder;
    request.cache_folder = app::cache_folder();
    request.measured = true;
    request.pause_when_disk_full = false;  // nobody is there to resume
    auto channels = std::make_shared<bus::Channels>();
    {
      train::TrainerThread trainer(std::move(request), channels);
      follow(trainer, *channels);
    }
    const bus::RunStatus status = channels->status.read();
    if (!status.inexact.empty()) progress_.say("warning: " + progress_.head() + " is not bit-exact: " + status.inexact);
    if (status.state == bus::RunState::kFailed) return tell_failure(status.failure);
    return status.step >= run.config.train.steps ? kDone : kInterrupted;
  }

  void follow(train::TrainerThread& trainer, bus::Channels& channels) {
    constexpr auto kTick = std::chrono::milliseconds(50);
    bool asked = false;
    while (!trainer.ended()) {
      const bus::RunStatus status = channels.status.read();
      const bool over = status.state == bus::RunState::kFinished || status.state == bus::RunState::kFailed;
      if (!asked && (interrupted() || over)) {
        if (!over) progress_.say("Stopping at the next step; Ctrl-C again quits at once");
        trainer.request_stop();
        asked = true;
      }
      if (const auto frames = channels.frames.drain(); !frames.empty()) {
        progress_.frame(*frames.back());
      } else if (!status.activity.empty()) {
        progress_.activity(status.activity, status.progress);
      }
      static_cast<void>(channels.replies.drain());
      static_cast<void>(channels.runs.drain());
      channels.frames.wait_for_item(kTick);
    }
  }

  int evaluate(const PlannedRun& run) {
    train::EvaluationRequest request;
    request.config = run.config;
    request.weights = (fs::path(run.folder) / "final.safetensors").string();
    request.cache_folder = app::cache_folder();
    request.rules = configuration(run).rules;
    request.routings = options_.routings;
    request.batches = options_.batches;
    std::stop_source stop;
    const auto report = train::evaluate_run(
        request,
        [&](const std::string& activity, double fraction) {
          if (interrupted()) stop.request_stop();
          progress_.activity(activity, fraction);
        },
        nullptr, stop.get_token());
    if (interrupted()) return kInterrupted;
    if (!report) return tell(report.error(), kRunFailed);
    return write(run, *report);
  }

  /// The report, and what was asked for, so that a later call knows whether it still answers.
  int write(const PlannedRun& run, const train::Report& report) {
    auto json = nlohmann::ordered_json::parse(train::to_json(report));
    json["batches"] = options_.batches;
    json["asked_routings"] = options_.routings;
    record::AtomicFile file((fs::path(run.folder) / "report.json").string());
    file.write(json.dump(2) + '\n');
    if (const Status written = file.commit(); !written) return tell(written.error(), kRunFailed);
    return kDone;
  }

  int tell(const Diagnostics& problem, int code) {
    progress_.say(progress_.head());
    std::fputs(format(problem).c_str(), stderr);
    return code;
  }

  int tell_failure(const bus::Failure& failure) {
    progress_.say("error: " + progress_.head() + " failed at step " + std::to_string(failure.step) + " (" +
                  failure.phase + "): " + failure.message);
    // What fails before the first step is what the configuration asks for.
    return failure.phase == "prepare" ? kWrongInput : kRunFailed;
  }

  void say_stopped(std::size_t finished) {
    progress_.say("Stopped with " + std::to_string(finished) + " of " + std::to_string(plan_.runs.size()) +
                  " runs finished; the same command with --out " + plan_.out + " continues");
  }

  const Plan& plan_;
  const CompareOptions& options_;
  Progress progress_;
};

}  // namespace

int carry_out(const Plan& plan, const CompareOptions& options) {
  log::set_console(false);  // each run's log is in its folder
  return Work(plan, options).all();
}

}  // namespace moescope::cli
