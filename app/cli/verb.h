#pragma once
// A verb of moescope-cli: its options, and what it does. One file each.
// Threads: main thread only.

#include <CLI/CLI.hpp>
#include <functional>

namespace moescope::cli {

enum ExitCode { kDone = 0, kRunFailed = 1, kWrongInput = 2, kDiffers = 3, kInterrupted = 130 };

struct Verb {
  CLI::App* options = nullptr;
  std::function<int()> run;  ///< returns an ExitCode
};

Verb add_train(CLI::App& program);
Verb add_compare(CLI::App& program);
Verb add_methods(CLI::App& program);
Verb add_corpora(CLI::App& program);
Verb add_check(CLI::App& program);
Verb add_layer(CLI::App& program);
Verb add_eval(CLI::App& program);
Verb add_resume(CLI::App& program);
Verb add_fork(CLI::App& program);
Verb add_replay(CLI::App& program);
Verb add_runs(CLI::App& program);
Verb add_export(CLI::App& program);
Verb add_serve(CLI::App& program);

}  // namespace moescope::cli
