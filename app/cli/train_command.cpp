#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/cli/given_config.h"
#include "app/cli/interrupt.h"
#include "app/cli/registered.h"
#include "app/cli/run_printer.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
#include "core/base/log.h"
#include "core/record/run_folder.h"
#include "core/train/trainer_thread.h"

namespace moescope::cli {
namespace {

struct TrainOptions {
  std::string config;
  std::vector<std::string> settings;
  std::string steps;
  std::string seed;
  std::string out;
  bool json = false;
};

/// Everything that can be wrong with the input, at once where possible.
Result<train::RunRequest> make_request(const TrainOptions& options) {
  const std::vector<std::string> settings = with_shorthands(options.settings, options.steps, options.seed);
  const Result<std::string> text = config::read_config_text(options.config);
  if (!text) return text.error();
  auto config = config::read_run_config(*text, options.config, registered_methods(), settings);
  if (!config) return config.error();
  const Diagnostics found = check_method(*config);
  if (has_errors(found)) return found;
  std::fputs(format(found).c_str(), stderr);

  train::RunRequest request;
  request.folder = options.out.empty() ? record::new_run_path("", config->top.name) : options.out;
  const Status folder = record::RunFolder::check(request.folder);
  if (!folder) return folder.error();
  request.config = std::move(*config);
  request.source_text = source_with(*text, settings);
  request.cache_folder = app::cache_folder();
  request.watched = false;
  request.pause_when_disk_full = false;  // nobody is there to resume
  return request;
}

/// Hands everything that waits to the printer.
void pump(bus::Channels& channels, RunPrinter& printer) {
  // Frames are taken first: the run they belong to is then in its queue already.
  const auto frames = channels.frames.drain();
  for (auto& run : channels.runs.drain()) printer.run(std::move(run));
  for (const telemetry::FramePtr& frame : frames) printer.frame(*frame);
  if (frames.empty()) printer.status(channels.status.read());
  static_cast<void>(channels.replies.drain());
}

bool is_over(bus::RunState state) { return state == bus::RunState::kFinished || state == bus::RunState::kFailed; }

/// Until the trainer has ended. Returns whether the user cut it short.
bool follow(train::TrainerThread& trainer, bus::Channels& channels, RunPrinter& printer) {
  constexpr auto kTick = std::chrono::milliseconds(20);
  bool asked = false, cut_short = false;
  while (!trainer.ended()) {
    const bool over = is_over(channels.status.read().state);
    if (!asked && (interrupted() || printer.output_failed() || over)) {
      if (interrupted() && !over) {
        printer.say("Stopping at the next step; Ctrl-C again quits at once");
        cut_short = true;
      }
      trainer.request_stop();
      asked = true;
    }
    pump(channels, printer);
    channels.frames.wait_for_item(kTick);
  }
  pump(channels, printer);
  return cut_short;
}

int exit_code(const bus::RunStatus& status, bool cut_short, const RunPrinter& printer) {
  // What fails before the first step is what the configuration asks for: a corpus that is missing or too small.
  if (status.state == bus::RunState::kFailed) return status.failure.phase == "prepare" ? kWrongInput : kRunFailed;
  if (cut_short) return kInterrupted;
  return printer.output_failed() ? kRunFailed : kDone;
}

int train(const TrainOptions& options) {
  Result<train::RunRequest> request = make_request(options);
  if (!request) {
    std::fputs(format(request.error()).c_str(), stderr);
    return kWrongInput;
  }
  watch_interrupts();
  const bool json = options.json || !is_terminal(STDOUT_FILENO);
  RunPrinter printer(json, request->folder);
  log::set_console(false);  // the run's log is in its folder; what matters here the printer says
  printer.announce(request->config.top.name, request->config.moe.method, request->config.train.steps);
  auto channels = std::make_shared<bus::Channels>();
  bool cut_short = false;
  {
    train::TrainerThread trainer(std::move(*request), channels);
    cut_short = follow(trainer, *channels, printer);
  }
  const bus::RunStatus status = channels->status.read();
  printer.finish(status, cut_short, channels->frames.dropped());
  if (printer.output_failed()) printer.say("error: stdout cannot be written: " + printer.output_problem());
  return exit_code(status, cut_short, printer);
}

}  // namespace

Verb add_train(CLI::App& program) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* verb = program.add_subcommand("train", "Train a run to its end");
  verb->add_option("CONFIG", options->config, "Configuration file (TOML)")->required();
  verb->add_option("--set", options->settings, "Change one key, like --set moe.num_experts=16; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--steps", options->steps, "Length of the run, short for --set train.steps=N")->type_name("N");
  verb->add_option("--seed", options->seed, "Seed of every random draw, short for --set seed=N")->type_name("N");
  verb->add_option("--out", options->out, "Run folder, new or empty; else a new one under ./runs")->type_name("DIR");
  verb->add_flag("--json", options->json, "JSON lines on stdout, also on a terminal");
  verb->footer(
      "On a terminal: a progress line. Otherwise JSON lines on stdout: first {\"run\": folder, …}, then one object "
      "per\n"
      "step as in metrics.jsonl (losses in nats per token), last {\"state\": …, \"step\": …}.\n"
      "Ctrl-C stops at the next step and leaves complete files; a second Ctrl-C quits at once.\n"
      "Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 130 interrupted.");
  return {verb, [options] { return train(*options); }};
}

}  // namespace moescope::cli
