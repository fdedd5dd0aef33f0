// moescope-cli: the lab without a window. The only place that turns messages into exit codes.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/cli/parse_problem.h"
#include "app/cli/verb.h"
#include "core/train/trainer_thread.h"

namespace moescope::cli {
namespace {

int run(int argc, char** argv) {
  CLI::App program("MoEScope without a window: trains Mixture-of-Experts models and looks at their routing.",
                   "moescope-cli");
  program.footer(
      "Try: moescope-cli train sample_configs/two_stage_workshop.toml\n"
      "Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 3 a verification did not match, 130 interrupted.");
  const std::vector<Verb> verbs{add_train(program), add_resume(program),  add_fork(program),    add_replay(program),
                                add_runs(program),  add_compare(program), add_check(program),   add_eval(program),
                                add_layer(program), add_methods(program), add_corpora(program), add_serve(program),
                                add_export(program)};
  const std::string version = "moescope-cli " MOESCOPE_VERSION;
  program.set_version_flag("--version", version);
  for (const Verb& verb : verbs) verb.options->set_version_flag("--version", version);

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return program.exit(problem);  // --help, --version
    std::fputs(parse_problem(program, problem, {argv + 1, argv + argc}).c_str(), stderr);
    return kWrongInput;
  }
  for (const Verb& verb : verbs)
    if (program.got_subcommand(verb.options)) return verb.run();
  std::fputs(program.help().c_str(), stderr);
  return kWrongInput;
}

}  // namespace
}  // namespace moescope::cli

int main(int argc, char** argv) {
  // A reader that has gone and a file that may not grow are errors of a write, told where they happen.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    moescope::train::initialise_process();
    return moescope::cli::run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return moescope::cli::kRunFailed;
  }
}
