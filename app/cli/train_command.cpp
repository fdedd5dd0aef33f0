#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/command_script.h"
#include "app/cli/follow_run.h"
#include "app/cli/given_config.h"
#include "app/cli/registered.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
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
  std::string commands;
  bool no_probe = false;
  bool isolate = false;
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
  if (!options.commands.empty()) {
    auto script = read_script(options.commands, *config, 0);
    if (!script) return script.error();
    request.script = std::move(*script);
  }
  request.folder = options.out.empty() ? record::new_run_path("", config->top.name) : options.out;
  const Status folder = record::RunFolder::check(request.folder);
  if (!folder) return folder.error();
  request.config = std::move(*config);
  request.source_text = source_with(*text, settings);
  request.cache_folder = app::cache_folder();
  request.watched = !options.no_probe;
  request.pause_when_disk_full = false;  // nobody is there to resume
  return request;
}

int train(const TrainOptions& options) {
  Result<train::RunRequest> request = make_request(options);
  if (!request) {
    std::fputs(format(request.error()).c_str(), stderr);
    return kWrongInput;
  }
  return follow_run(*request, {options.json, {}, 0, options.isolate});
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
  verb->add_option("--commands", options->commands, "Commands and the steps they act at, like '120 freeze router L2'")
      ->type_name("FILE");
  verb->add_flag("--no-probe", options->no_probe, "Probe nothing: no fluctuation, no sphere, a little faster");
  verb->add_flag("--isolate", options->isolate, "Train in a process of its own, whose end this one survives to tell");
  verb->add_flag("--json", options->json, "JSON lines on stdout, also on a terminal");
  verb->footer(
      "On a terminal: a progress line. Otherwise JSON lines on stdout: first {\"run\": folder, …}, then one object "
      "per\n"
      "step (losses in nats per token, loads by layer), last {\"state\": …, \"step\": …}.\n"
      "Everything is recorded in DIR/run.db, the whole state in DIR/checkpoints: see resume, replay, fork, export.\n"
      "A line of a --commands FILE is a step and a command in the journal's words: freeze router L2 (or every "
      "router),\n"
      "freeze expert L2·E3, unfreeze …, pin assignment L1, unpin …, switch to stage 2, set train.lr 0.002, pause, "
      "resume,\n"
      "step 10, stop, probe \"a sentence\", save a checkpoint, save weights to FILE; # begins a comment.\n"
      "Ctrl-C stops at the next step and leaves complete files; a second Ctrl-C quits at once. resume goes on.\n"
      "Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 130 interrupted.");
  return {verb, [options] { return train(*options); }};
}

}  // namespace moescope::cli
