#include "app/cli/compare_plan.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "app/cli/given_config.h"
#include "app/cli/registered.h"
#include "core/base/text.h"
#include "core/record/output_file.h"
#include "core/record/run_folder.h"
#include "core/record/run_reader.h"

namespace moescope::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOtherFolder = "name another folder with --out";

const config::MethodInfo& method_of(const config::RunConfig& config, const config::MethodCatalogue& catalogue) {
  return *config::find_method(catalogue, config.moe.method);
}

/// Those of the rules that this method's router has a field for: one command line serves a whole comparison.
RuleOptions rules_for(const RuleOptions& all, const config::MethodInfo& method) {
  RuleOptions fitting;
  if (has_router_field(method, "eval_top_k") || has_router_field(method, "top_k")) fitting.top_k = all.top_k;
  if (has_router_field(method, "group_size")) fitting.groups = all.groups;
  for (const std::string& rule : all.rules)
    if (has_router_field(method, rule.substr(0, rule.find('=')))) fitting.rules.push_back(rule);
  return fitting;
}

bool empty(const RuleOptions& rules) { return rules.top_k.empty() && rules.groups.empty() && rules.rules.empty(); }

/// Each rule by itself.
std::vector<RuleOptions> one_by_one(const RuleOptions& all) {
  std::vector<RuleOptions> single;
  if (!all.top_k.empty()) single.push_back({all.top_k, {}, {}});
  if (!all.groups.empty()) single.push_back({{}, all.groups, {}});
  for (const std::string& rule : all.rules) single.push_back({{}, {}, {rule}});
  return single;
}

/// Reads the files, and finds every mistake in all of them.
class Reader {
 public:
  explicit Reader(const CompareOptions& options)
      : options_(options),
        settings_(with_shorthands(options.settings, options.steps, options.seed)),
        catalogue_(registered_methods()) {}

  Result<std::vector<Configuration>> read() {
    for (const std::string& path : options_.configs) add(path);
    if (!has_errors(found_)) check_rules();
    if (has_errors(found_)) return found_;
    return std::move(all_);
  }
  const Diagnostics& warnings() const { return found_; }

 private:
  void add(const std::string& path) {
    const Result<std::string> text = config::read_config_text(path);
    if (!text) return note(text.error());
    auto config = config::read_run_config(*text, path, catalogue_, settings_);
    if (!config) return note(config.error());
    note(check_method(*config));
    Configuration one{path, fs::path(path).stem().string(), *text, std::move(*config), {}};
    for (const Configuration& other : all_)
      if (other.name == one.name)
        note({error("'" + printable(other.path) + "' and '" + printable(path) + "' would both be called '" +
                        printable(one.name) + "' in the table",
                    "give one of the files another name")});
    all_.push_back(std::move(one));
  }

  /// A rule that fits some of the configurations is left out of the others; one that fits none is a mistake.
  void check_rules() {
    for (const RuleOptions& rule : one_by_one(options_.rules)) {
      const bool fits = std::any_of(all_.begin(), all_.end(), [&](const Configuration& one) {
        return !empty(rules_for(rule, method_of(one.config, catalogue_)));
      });
      if (!fits) note(rules_of(all_.front(), rule).error());
    }
    for (Configuration& one : all_) {
      auto rules = rules_of(one, rules_for(options_.rules, method_of(one.config, catalogue_)));
      if (rules) {
        one.rules = std::move(*rules);
      } else {
        note(rules.error());
      }
    }
  }

  Result<std::vector<train::EvaluationRule>> rules_of(const Configuration& one, const RuleOptions& rules) const {
    return evaluation_rules(rules, one.config, method_of(one.config, catalogue_));
  }

  void note(const Diagnostics& more) { found_.insert(found_.end(), more.begin(), more.end()); }

  const CompareOptions& options_;
  std::vector<std::string> settings_;
  config::MethodCatalogue catalogue_;
  std::vector<Configuration> all_;
  Diagnostics found_;
};

/// Losses on different text, or over different symbols, do not compare.
void warn_of_different_tasks(Plan& plan, const config::MethodCatalogue& catalogue) {
  const Configuration& first = plan.configurations.front();
  const auto values = config::values_of(first.config, method_of(first.config, catalogue));
  for (const Configuration& other : plan.configurations) {
    for (const auto& [key, value] : config::values_of(other.config, method_of(other.config, catalogue))) {
      const bool of_task = key.starts_with("data.") || key == "model.objective" || key == "model.context";
      if (!of_task || values.at(key) == value) continue;
      plan.warnings.push_back(warning("'" + printable(other.name) + "' and '" + printable(first.name) + "' differ in " +
                                      key + ", so their losses do not compare"));
    }
  }
}

std::string text_of_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// "train.steps is 100 there and 200 here".
std::string first_difference(const std::string& folder, const PlannedRun& run) {
  const config::MethodCatalogue catalogue = registered_methods();
  const auto there = config::load_run_config((fs::path(folder) / "config.toml").string(), catalogue);
  if (!there) return "its config.toml cannot be read";
  const auto old_values = config::values_of(*there, method_of(*there, catalogue));
  for (const auto& [key, value] : config::values_of(run.config, method_of(run.config, catalogue))) {
    const auto old = old_values.find(key);
    if (old == old_values.end()) continue;
    if (!(old->second == value))
      return key + " is " + config::to_text(old->second) + " there and " + config::to_text(value) + " here";
  }
  return "its fields are others";
}

/// A run that was killed before it began to record has nothing worth keeping but is in the way.
Status clear_unstarted(const fs::path& folder) {
  std::error_code failure;
  constexpr std::array kWrittenFirst{"config.toml", "config.source.toml", "log.txt", "lock"};
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure))
    if (std::find(kWrittenFirst.begin(), kWrittenFirst.end(), entry.path().filename()) == kWrittenFirst.end())
      return record::about_file(folder.string(), "holds a run without its run.db",
                                "remove the folder to train it anew, or name another with --out");
  for (const char* name : kWrittenFirst) fs::remove(folder / name, failure);
  return Done{};
}

/// What is in the folder already; a diagnostic when it is nothing of ours.
Status look(PlannedRun& run) {
  std::error_code failure;
  const fs::path folder = run.folder;
  if (!fs::exists(folder, failure) || (fs::is_directory(folder, failure) && fs::is_empty(folder, failure)))
    return record::RunFolder::check(run.folder);
  if (!fs::is_directory(folder, failure))
    return record::about_file(run.folder, "a file of this name is in the way", kOtherFolder);
  if (!fs::exists(folder / "config.toml", failure))
    return record::about_file(run.folder, "this folder holds something that is not a run", kOtherFolder);
  if (text_of_file(folder / "config.toml") != run.toml)
    return record::about_file(run.folder, "holds a run of another configuration: " + first_difference(run.folder, run),
                              kOtherFolder);
  if (!fs::exists(folder / "run.db", failure)) return clear_unstarted(folder);
  const auto reader = record::RunReader::open(run.folder);
  if (!reader) return reader.error();
  if ((*reader)->being_written())
    return record::about_file(run.folder, "this run is being trained at this moment", "wait until it has ended");
  run.last_step = (*reader)->last_step();
  // Weights alone say nothing: a run that was stopped has its own.
  run.complete = run.last_step >= run.config.train.steps && fs::exists(folder / "final.safetensors", failure);
  run.unfinished = !run.complete;
  return Done{};
}

/// Tables and plots are replaced, but only where a comparison wrote them.
Status check_out(const std::string& out) {
  std::error_code failure;
  if (fs::exists(out, failure) && !fs::is_directory(out, failure))
    return record::about_file(out, "a file of this name is in the way", kOtherFolder);
  if (fs::exists(fs::path(out) / "compare.json", failure)) return Done{};
  for (const char* name : {"table.md", "table.csv"})
    if (fs::exists(fs::path(out) / name, failure))
      return record::about_file((fs::path(out) / name).string(), "is not of a comparison and would be overwritten",
                                kOtherFolder);
  return Done{};
}

void plan_runs(Plan& plan, const CompareOptions& options) {
  const config::MethodCatalogue catalogue = registered_methods();
  const std::int64_t first_seed = plan.configurations.front().config.top.seed;
  for (int s = 0; s < options.seeds; ++s) {
    for (std::size_t c = 0; c < plan.configurations.size(); ++c) {
      PlannedRun run;
      run.configuration = c;
      run.seed = first_seed + s;
      run.config = plan.configurations[c].config;
      run.config.top.seed = run.seed;
      run.folder = (fs::path(plan.out) / plan.configurations[c].name / ("seed-" + std::to_string(run.seed))).string();
      std::vector<std::string> settings = with_shorthands(options.settings, options.steps, options.seed);
      settings.push_back("seed=" + std::to_string(run.seed));
      run.source = source_with(plan.configurations[c].text, settings);
      run.toml = config::to_toml(run.config, method_of(run.config, catalogue));
      plan.runs.push_back(std::move(run));
    }
  }
}

}  // namespace

Result<Plan> make_plan(const CompareOptions& options) {
  Reader reader(options);
  auto configurations = reader.read();
  if (!configurations) return configurations.error();
  Plan plan;
  plan.out = options.out.empty() ? record::new_run_path("", "compare") : options.out;
  plan.configurations = std::move(*configurations);
  plan.warnings = reader.warnings();
  warn_of_different_tasks(plan, registered_methods());
  if (Status out = check_out(plan.out); !out) return out.error();
  plan_runs(plan, options);
  Diagnostics problems;
  for (PlannedRun& run : plan.runs)
    if (const Status status = look(run); !status)
      problems.insert(problems.end(), status.error().begin(), status.error().end());
  if (!problems.empty()) return problems;
  return plan;
}

}  // namespace moescope::cli
