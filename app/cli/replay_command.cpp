#include <chrono>
#include <cstdio>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "app/cli/interrupt.h"
#include "app/cli/recorded_run.h"
#include "app/cli/replay_text.h"
#include "app/cli/terminal.h"
#include "app/cli/verb.h"
#include "app/workbench/paths.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/record/output_file.h"
#include "core/train/verify_run.h"

namespace moescope::cli {
namespace {

struct ReplayOptions {
  std::string run;
  bool verify = false;
  std::int64_t from = 0;
  bool json = false;
};

constexpr const char* kHowToStop = "  Ctrl-C stops and tells what was equal";
constexpr std::chrono::milliseconds kLookEvery{50};

int tell(const Diagnostics& problem, int code) {
  std::fputs(format(problem).c_str(), stderr);
  return code;
}

int print(const std::string& text, int code) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return code;
  return tell({error("stdout cannot be written")}, kRunFailed);
}

int verify(const RecordedRun& run, const ReplayOptions& options) {
  const std::string folder = run.reader->folder();
  if (options.from > run.reader->last_step())
    return tell({record::about_file(folder, "step " + with_thousands(options.from) + " is not recorded",
                                    "the last recorded step is " + with_thousands(run.reader->last_step()))},
                kWrongInput);
  if (const std::string broken = run.reader->journal_problem(); !broken.empty())
    return tell({record::about_file(folder, "the journal is not as it was written: " + broken)}, kDiffers);
  watch_interrupts();
  log::set_console(false);
  std::stop_source stop;
  StatusLine line;
  // Preparing the corpus can take longer than the training.
  const std::jthread watcher([&stop](const std::stop_token& over) {
    for (; !over.stop_requested(); std::this_thread::sleep_for(kLookEvery))
      if (interrupted()) stop.request_stop();
  });
  line.show(std::string("preparing") + kHowToStop);
  const auto progress = [&](std::int64_t step, std::int64_t last) {
    const double fraction = last > 0 ? static_cast<double>(step) / static_cast<double>(last) : 0;
    line.show("training again  " + with_thousands(step) + '/' + with_thousands(last) + ' ' + bar(fraction, 20) +
              kHowToStop);
  };
  const auto verdict =
      train::verify_run({folder, run.config, app::cache_folder(), options.from, nullptr}, progress, stop.get_token());
  line.show("");
  if (!verdict && interrupted()) {
    std::fputs("Stopped before a step was compared\n", stderr);
    return kInterrupted;
  }
  if (!verdict) return tell(verdict.error(), kWrongInput);
  const int code = verdict->equal ? kDone : verdict->stopped && verdict->what.empty() ? kInterrupted : kDiffers;
  return print(options.json ? to_json(*verdict) : in_words(*verdict), code);
}

int replay(const ReplayOptions& options) {
  auto run = open_recorded(options.run);
  if (!run) return tell(run.error(), kWrongInput);
  if (options.verify) return verify(*run, options);
  const std::string text = options.json ? to_json(*run) : in_words(*run);
  return print(text, run->reader->journal_problem().empty() ? kDone : kDiffers);
}

}  // namespace

Verb add_replay(CLI::App& program) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* verb = program.add_subcommand("replay", "Read what a recorded run did, or train it again and compare");
  verb->add_option("RUN", options->run, "Run folder; it is only read")->required();
  CLI::Option* verify = verb->add_flag("--verify", options->verify,
                                       "Train it again with its commands and hold it against the record, to the bit");
  verb->add_option("--from", options->from, "Begin at the newest checkpoint at or before this step")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->needs(verify);
  verb->add_flag("--json", options->json, "One JSON object on stdout");
  verb->footer(
      "Without --verify: the run and its journal, every command with its step, who gave it and what it did.\n"
      "With it: losses, loads and all else that was recorded at each step, the answers to commands and the hashes of\n"
      "the whole state. Ctrl-C stops and tells up to which step all was equal; --from goes on from there.\n"
      "Exit codes: 0 equal, 2 the input is wrong, 3 something differs (the first step and the tensors are named), the\n"
      "journal was changed, or no hash of the state is recorded to compare with, 130 interrupted.");
  return {verb, [options] { return replay(*options); }};
}

}  // namespace moescope::cli
