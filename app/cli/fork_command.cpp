#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/command_script.h"
#include "app/cli/follow_run.h"
#include "app/cli/recorded_run.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
#include "core/base/text.h"
#include "core/record/checkpoint_files.h"
#include "core/record/output_file.h"
#include "core/record/run_folder.h"

namespace moescope::cli {
namespace {

struct ForkOptions {
  std::string run;
  std::int64_t step = train::Origin::kNewest;
  std::int64_t journal = train::Origin::kNewest;
  std::string out;
  std::vector<std::string> settings;
  std::string commands;
  bool no_probe = false;
  bool isolate = false;
  bool json = false;
};

/// ": 20, 40, 60"
std::string steps_of(const std::vector<record::CheckpointRow>& checkpoints) {
  std::string text;
  for (const std::int64_t step : record::steps_to_start_from(checkpoints))
    text += (text.empty() ? ": " : ", ") + with_thousands(step);
  return text;
}

/// A range that the recorded run decides, told in its own words.
Status check_range(const RecordedRun& run, std::int64_t step, std::int64_t journal) {
  const std::int64_t last = run.reader->last_step();
  const std::string& folder = run.reader->folder();
  const bool at_checkpoint = record::starting_at(run.checkpoints, step) != nullptr;
  if (const std::string broken = run.reader->journal_problem(); !broken.empty() && !at_checkpoint)
    return record::about_file(folder, "the journal is not as it was written: " + broken,
                              "the run can be forked at the step of a checkpoint" + steps_of(run.checkpoints));
  if (step > last && !at_checkpoint)
    return record::about_file(folder, "step " + with_thousands(step) + " is not recorded",
                              "the last recorded step is " + with_thousands(last));
  if (step >= run.config.train.steps)
    return record::about_file(folder, "at step " + with_thousands(step) + " the run is over: nothing is left to train",
                              "give an earlier step with --step");
  if (journal == train::Origin::kNewest) return Done{};
  const auto rows = run.reader->commands();
  if (journal > static_cast<std::int64_t>(rows.size()))
    return record::about_file(
        folder, "the journal has " + std::to_string(rows.size()) + " commands, not " + std::to_string(journal));
  const auto after = std::find_if(rows.begin(), rows.end(), [&](const record::CommandRow& row) {
    return row.number <= journal && row.apply_step > step;
  });
  if (after != rows.end())
    return record::about_file(folder,
                              "command " + std::to_string(after->number) + " acts at step " +
                                  with_thousands(after->apply_step) + ", behind the fork",
                              "take over fewer commands, or fork later");
  return Done{};
}

Result<train::RunRequest> make_request(const ForkOptions& options, RecordedRun& run) {
  const std::int64_t step = options.step == train::Origin::kNewest ? run.reader->last_step() : options.step;
  if (const Status range = check_range(run, step, options.journal); !range) return range.error();
  auto script = settings_as_commands(options.settings, run.config, step);
  if (!script) return script.error();
  if (!options.commands.empty()) {
    auto more = read_script(options.commands, run.config, step);
    if (!more) return more.error();
    script->insert(script->end(), std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
  }
  train::RunRequest request;
  request.folder = options.out.empty() ? record::new_run_path("", run.config.top.name) : options.out;
  if (const Status folder = record::RunFolder::check(request.folder); !folder) return folder.error();
  request.origin = train::Origin{train::Origin::Use::kFork, run.reader->folder(), step, options.journal};
  request.script = std::move(*script);
  request.source_text = "# Forked from " + printable(run.reader->folder()) + " at step " + std::to_string(step) + "\n" +
                        run.reader->facts().config_toml;
  request.cache_folder = app::cache_folder();
  request.watched = !options.no_probe;
  request.pause_when_disk_full = false;  // nobody is there to resume
  request.config = run.config;
  return request;
}

int fork(const ForkOptions& options) {
  auto run = open_recorded(options.run);
  auto request = run ? make_request(options, *run) : Result<train::RunRequest>(run.error());
  if (!request) {
    std::fputs(format(request.error()).c_str(), stderr);
    return kWrongInput;
  }
  const std::int64_t step = request->origin->step;
  FollowOptions follow{
      options.json, {"Leaves " + run->reader->folder() + " at step " + with_thousands(step)}, step, options.isolate};
  run->checkpoint_before(step, follow.said);
  for (const std::string& damage : run->reader->damages()) follow.said.push_back("warning: " + damage);
  run->reader.reset();
  return follow_run(*request, follow);
}

}  // namespace

Verb add_fork(CLI::App& program) {
  auto options = std::make_shared<ForkOptions>();
  CLI::App* verb = program.add_subcommand("fork", "Start a new run from a step of a recorded one");
  verb->add_option("RUN", options->run, "Run folder; it is only read")->required();
  verb->add_option("--step", options->step, "Where the new run leaves; else the last recorded step")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--journal", options->journal,
                   "Commands of the journal that are taken over; else all that acted before that step")
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--set", options->settings, "A command at the fork: change a live key; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--commands", options->commands, "Commands and the steps they act at, as in train")
      ->type_name("FILE");
  verb->add_option("--out", options->out, "Run folder, new or empty; else a new one under ./runs")->type_name("DIR");
  verb->add_flag("--no-probe", options->no_probe, "Probe nothing");
  verb->add_flag("--isolate", options->isolate, "Train in a process of its own, whose end this one survives to tell");
  verb->add_flag("--json", options->json, "JSON lines on stdout, also on a terminal");
  verb->footer(
      "The newest checkpoint at or before the step is loaded and the rest trained again, to the same bits; without\n"
      "a change the new run is the old one. Output is that of train.\n"
      "Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 130 interrupted.");
  return {verb, [options] { return fork(*options); }};
}

}  // namespace moescope::cli
