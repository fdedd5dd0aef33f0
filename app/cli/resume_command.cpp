#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "app/cli/follow_run.h"
#include "app/cli/recorded_run.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
#include "core/base/text.h"
#include "core/record/output_file.h"

namespace moescope::cli {
namespace {

struct ResumeOptions {
  std::string run;
  bool no_probe = false;
  bool isolate = false;
  bool json = false;
};

int tell(const Diagnostics& problem) {
  std::fputs(format(problem).c_str(), stderr);
  return kWrongInput;
}

/// Nothing is left to train, and the weights are there.
bool is_finished(const RecordedRun& run) {
  std::error_code failure;
  return run.reached_its_end() &&
         std::filesystem::exists(std::filesystem::path(run.reader->folder()) / "final.safetensors", failure);
}

/// "Goes on from checkpoint step-000400.safetensors; steps 401 to 437 are trained again, then on to step 1,500".
/// Warnings come before it.
std::vector<std::string> course(const RecordedRun& run) {
  const std::int64_t last = run.reader->last_step();
  std::vector<std::string> said;
  const record::CheckpointRow* checkpoint = run.checkpoint_before(last, said);
  const std::int64_t from = checkpoint == nullptr ? 0 : checkpoint->step;
  std::string text =
      "Goes on from " + (checkpoint == nullptr
                             ? std::string(said.empty() ? "the beginning, as there is no checkpoint" : "the beginning")
                             : "checkpoint " + checkpoint->file + " (step " + with_thousands(from) + ')');
  if (last > from)
    text += "; " + with_thousands(last - from) + (last - from == 1 ? " recorded step is" : " recorded steps are") +
            " trained again, to the same bits";
  said.push_back(text + ", then on to step " + with_thousands(run.config.train.steps));
  return said;
}

int resume(const ResumeOptions& options) {
  auto run = open_recorded(options.run);
  if (!run) return tell(run.error());
  const std::string folder = run->reader->folder();
  if (run->reader->being_written())
    return tell({record::about_file(folder, "this run is being trained at this moment",
                                    "stop it first, or look at it: moescope-cli replay " + folder)});
  if (is_finished(*run)) {
    std::fprintf(stderr, "%s is finished at step %s: nothing is left to train\n", printable(folder).c_str(),
                 with_thousands(run->reader->last_step()).c_str());
    return kDone;
  }
  if (const Status possible = run->reader->can_go_on(); !possible) return tell(possible.error());
  FollowOptions follow{options.json, course(*run), run->reader->last_step(), options.isolate};
  for (const std::string& damage : run->reader->damages()) follow.said.push_back("warning: " + damage);
  train::RunRequest request;
  request.folder = folder;
  request.origin = train::Origin{train::Origin::Use::kContinue, folder, train::Origin::kNewest, train::Origin::kNewest};
  request.cache_folder = app::cache_folder();
  // A run that began without a probe has no probe tokens that later snapshots could be about.
  const telemetry::RunInfo& info = run->reader->info();
  request.watched = !options.no_probe && (info.num_layers == 0 || !info.probe.empty());
  request.pause_when_disk_full = false;  // nobody is there to resume
  request.config = std::move(run->config);
  run->reader.reset();  // the recorder comes next
  return follow_run(request, follow);
}

}  // namespace

Verb add_resume(CLI::App& program) {
  auto options = std::make_shared<ResumeOptions>();
  CLI::App* verb = program.add_subcommand("resume", "Go on with a run that was stopped, failed or killed");
  verb->add_option("RUN", options->run, "Run folder")->required();
  verb->add_flag("--no-probe", options->no_probe, "Probe nothing from here on; a run that began so stays so");
  verb->add_flag("--isolate", options->isolate, "Train in a process of its own, whose end this one survives to tell");
  verb->add_flag("--json", options->json, "JSON lines on stdout, also on a terminal");
  verb->footer(
      "The newest checkpoint is loaded and what was recorded behind it is trained again with the same commands; the\n"
      "result is, to the bit, what the run would have been without the interruption. Where that cannot be promised\n"
      "(another machine, another build) it says so. Output is that of train, with \"from_step\" in the first line.\n"
      "A run whose record is damaged is refused before anything is written; it says where a fork can leave.\n"
      "Exit codes: 0 done (also when nothing was left to do), 1 the run failed, 2 the input is wrong, 130 "
      "interrupted.");
  return {verb, [options] { return resume(*options); }};
}

}  // namespace moescope::cli
