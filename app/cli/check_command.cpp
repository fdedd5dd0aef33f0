#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/registered.h"
#include "app/cli/verb.h"
#include "core/base/free_memory.h"
#include "core/record/retention.h"
#include "core/train/memory_need.h"

namespace moescope::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> configs;
  std::vector<std::string> settings;
};

/// Prints what there is to say about one file. False when it cannot be run.
bool check(const std::string& path, const std::vector<std::string>& settings) {
  const auto config = config::load_run_config(path, registered_methods(), settings);
  Diagnostics found = config ? check_method(*config) : config.error();
  if (has_errors(found)) {
    std::fputs(format(found).c_str(), stderr);
    return false;
  }
  const train::PlannedRun planned = train::planned_run(*config, 0);
  for (Diagnostic& one : train::check_memory(*config, planned.memory, free_memory())) {
    one.severity = Severity::kWarning;  // it may run on another machine, or later
    found.push_back(std::move(one));
  }
  std::fputs(format(found).c_str(), stderr);
  const char* remark = found.empty() ? "ok" : "ok, with warnings";
  const std::int64_t disk = record::estimated_retention(*config, planned.size).total();
  std::printf("%s: %s (%s, %lld steps; about %s of memory, %s on disk)\n", path.c_str(), remark,
              config->moe.method.c_str(), static_cast<long long>(config->train.steps),
              record::size_in_words(planned.memory.total()).c_str(), record::size_in_words(disk).c_str());
  std::fflush(stdout);
  return true;
}

int check_all(const CheckOptions& options) {
  bool good = true;
  for (const std::string& path : options.configs) good = check(path, options.settings) && good;
  return good ? kDone : kWrongInput;
}

}  // namespace

Verb add_check(CLI::App& program) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* verb = program.add_subcommand("check", "Find every mistake in configuration files, without running them");
  verb->add_option("CONFIG", options->configs, "Configuration files (TOML)")->required();
  verb->add_option("--set", options->settings, "Change one key in each, like --set moe.num_experts=16; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  verb->footer(
      "Exit codes: 0 all can be run (warnings allowed, as when this machine has too little memory free), 2 at least "
      "one cannot.");
  return {verb, [options] { return check_all(*options); }};
}

}  // namespace moescope::cli
