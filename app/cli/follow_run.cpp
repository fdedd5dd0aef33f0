#include "app/cli/follow_run.h"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <utility>

#include "app/cli/interrupt.h"
#include "app/cli/run_printer.h"
#include "app/cli/terminal.h"
#include "app/cli/verb.h"
#include "app/workbench/child_trainer.h"
#include "app/workbench/real_trainer.h"
#include "core/base/log.h"
#include "core/record/retention.h"
#include "core/train/memory_need.h"

namespace moescope::cli {
namespace {

/// What the run is about to take, once its model is made.
std::string size_in_words(const train::RunRequest& request, const telemetry::RunInfo& info) {
  record::Retention retention = record::estimated_retention(request.config, record::size_of(info));
  if (!request.watched) retention.probes = 0;
  return "It needs " + train::in_words(train::planned_run(request.config, 0).memory) + "\nOn disk " +
         record::in_words(retention);
}

class Follower {
 public:
  Follower(const train::RunRequest& request, bool isolate, RunPrinter& printer)
      : request_(request), isolate_(isolate), printer_(printer), channels_(std::make_shared<bus::Channels>()) {}

  /// Until the trainer has ended. Returns whether the user cut it short.
  bool follow() {
    constexpr auto kTick = std::chrono::milliseconds(20);
    const std::unique_ptr<app::TrainerHandle> trainer =
        isolate_ ? app::start_child_trainer(request_, channels_) : app::start_real_trainer(request_, channels_);
    bool asked = false, cut_short = false;
    while (!trainer->ended()) {
      const bool over = app::has_ended(channels_->status.read().state);
      if (!asked && (interrupted() || printer_.output_failed() || over)) {
        if (interrupted() && !over) {
          printer_.say("Stopping at the next step; Ctrl-C again quits at once");
          cut_short = true;
        }
        trainer->request_stop();
        asked = true;
      }
      pump();
      channels_->frames.wait_for_item(kTick);
    }
    pump();
    return cut_short;
  }

  const bus::Channels& channels() const { return *channels_; }

 private:
  /// Hands everything that waits to the printer.
  void pump() {
    // Frames are taken first: the run they belong to is then in its queue already.
    const auto frames = channels_->frames.drain();
    for (auto& run : channels_->runs.drain()) {
      const bool fresh = !request_.origin || request_.origin->use == train::Origin::Use::kFork;
      const std::string size = fresh ? size_in_words(request_, *run) : std::string();
      printer_.run(std::move(run));
      if (!size.empty()) printer_.say(size);
    }
    for (const telemetry::FramePtr& frame : frames) printer_.frame(*frame);
    if (frames.empty()) printer_.status(channels_->status.read());
    for (const bus::Reply& reply : channels_->replies.drain()) printer_.reply(reply);
  }

  const train::RunRequest& request_;
  const bool isolate_;
  RunPrinter& printer_;
  std::shared_ptr<bus::Channels> channels_;
};

int exit_code(const bus::RunStatus& status, bool cut_short, const RunPrinter& printer) {
  // What fails before the first step is what the configuration asks for: a corpus that is missing or too small.
  if (status.state == bus::RunState::kFailed) return status.failure.phase == "prepare" ? kWrongInput : kRunFailed;
  if (cut_short) return kInterrupted;
  return printer.output_failed() ? kRunFailed : kDone;
}

}  // namespace

int follow_run(const train::RunRequest& request, const FollowOptions& options) {
  watch_interrupts();
  const bool json = options.json || !is_terminal(STDOUT_FILENO);
  RunPrinter printer(json, request.folder);
  log::set_console(false);  // the run's log is in its folder; what matters here the printer says
  RunPrinter::Start start{request.config.top.name, request.config.moe.method, request.config.train.steps, {}, 0};
  if (request.origin) start.parent = request.origin->folder;
  start.step = options.start_step;
  printer.announce(start);
  for (const std::string& sentence : options.said) printer.say(sentence);
  Follower follower(request, options.isolate, printer);
  const bool cut_short = follower.follow();
  const bus::RunStatus status = follower.channels().status.read();
  printer.finish(status, cut_short, follower.channels().frames.dropped());
  if (printer.output_failed()) printer.say("error: stdout cannot be written: " + printer.output_problem());
  return exit_code(status, cut_short, printer);
}

}  // namespace moescope::cli
