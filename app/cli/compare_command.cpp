#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "app/cli/compare_plots.h"
#include "app/cli/compare_table.h"
#include "app/cli/compare_train.h"
#include "app/cli/interrupt.h"
#include "app/cli/verb.h"
#include "core/base/text.h"
#include "core/record/output_file.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;

int tell(const Diagnostics& problem, int code) {
  std::fputs(format(problem).c_str(), stderr);
  return code;
}

Status write(const fs::path& path, const std::string& text) {
  record::AtomicFile file(path.string());
  file.write(text);
  return file.commit();
}

/// compare.json first: it marks the folder's tables and plots as ours to replace.
Status write_all(const Plan& plan, const Comparison& comparison) {
  const fs::path out = plan.out;
  Status status = write(out / "compare.json", to_json(comparison, plan));
  if (status) status = write(out / "table.md", to_markdown(comparison));
  if (status) status = write(out / "table.csv", to_csv(comparison));
  for (const PlotFile& plot : plots(comparison))
    if (status) status = write(out / plot.name, plot.svg);
  return status;
}

int compare(const CompareOptions& options) {
  const auto plan = make_plan(options);
  if (!plan) return tell(plan.error(), kWrongInput);
  std::fputs(format(plan->warnings).c_str(), stderr);
  watch_interrupts();
  if (const int code = carry_out(*plan, options); code != kDone) return code;
  const auto comparison = compare_runs(*plan);
  if (!comparison) return tell(comparison.error(), kRunFailed);
  if (const Status written = write_all(*plan, *comparison); !written) return tell(written.error(), kRunFailed);
  const std::string text = options.json ? to_json(*comparison, *plan) : to_markdown(*comparison);
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
    return tell({error("stdout cannot be written", "the table is in " + plan->out + "/table.md")}, kRunFailed);
  std::fprintf(stderr, "Table, plots and runs: %s\n", plan->out.c_str());
  return kDone;
}

}  // namespace

Verb add_compare(CLI::App& program) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* verb = program.add_subcommand("compare", "Train several configurations with several seeds, and compare");
  verb->add_option("CONFIG", options->configs, "Configuration files (TOML); the first is what others are held against")
      ->required();
  verb->add_option("--seeds", options->seeds, "Runs of each configuration, from the first one's seed on")
      ->check(CLI::Range(1, 100));
  verb->add_option("--out", options->out, "Folder of runs, table and plots; started again it continues")
      ->type_name("DIR");
  verb->add_option("--set", options->settings, "Change one key in each, like --set moe.num_experts=16; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->add_option("--steps", options->steps, "Length of the runs, short for --set train.steps=N")->type_name("N");
  verb->add_option("--seed", options->seed, "The first seed, short for --set seed=N")->type_name("N");
  verb->add_option("--k", options->rules.top_k, "Also evaluate with these many experts per token, like 1,2,4,8")
      ->type_name("LIST");
  verb->add_option("--groups", options->rules.groups, "Also evaluate with these group sizes, like 2,4,8")
      ->type_name("LIST");
  verb->add_option("--rule", options->rules.rules,
                   "Also evaluate with a live router field changed, where a method has it; may be repeated")
      ->type_name("KEY=LIST")
      ->allow_extra_args(false);
  verb->add_option("--routings", options->routings, "Routing seeds, for methods whose evaluation draws")
      ->check(CLI::Range(1, 1000));
  verb->add_option("--batches", options->batches, "Batches of held-out text")->check(CLI::Range(1, 100000));
  verb->add_flag("--json", options->json, "The comparison as JSON on stdout instead of the table");
  verb->footer(
      "Writes DIR/table.md, table.csv, compare.json, plots (*.svg) and one run folder per configuration and seed,\n"
      "DIR/<configuration>/seed-<n>. Finished runs are kept; one that did not end goes on.\n"
      "Ctrl-C stops at the next step; the same command continues.\n"
      "Exit codes: 0 done, 1 a run failed, 2 the input is wrong, 130 interrupted.");
  return {verb, [options] { return compare(*options); }};
}

}  // namespace moescope::cli
