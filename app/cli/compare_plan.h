#pragma once
// What a comparison has to train: every configuration with every seed, each in a folder of its own, and what of it is
// there already. Threads: one owner.

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/rules.h"
#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/train/report.h"

namespace moescope::cli {

struct CompareOptions {
  std::vector<std::string> configs;
  std::vector<std::string> settings;  ///< --set, for all of them
  std::string steps;
  std::string seed;  ///< the first; empty: that of the first configuration
  int seeds = 3;
  std::string out;
  RuleOptions rules;
  int routings = 1;
  int batches = 16;
  bool json = false;
};

struct Configuration {
  std::string path;
  std::string name;  ///< the file's name without .toml; how the configuration is called everywhere
  std::string text;  ///< the file as given
  config::RunConfig config;
  std::vector<train::EvaluationRule> rules;
};

struct PlannedRun {
  std::size_t configuration = 0;
  std::int64_t seed = 0;
  config::RunConfig config;
  std::string folder;
  std::string source;  ///< the file with its changes, for config.source.toml
  std::string toml;    ///< what the folder's config.toml holds
  bool complete = false;
  bool unfinished = false;     ///< a run of this configuration that did not end lies there
  std::int64_t last_step = 0;  ///< of that
};

struct Plan {
  std::string out;
  std::vector<Configuration> configurations;
  std::vector<PlannedRun> runs;  ///< seed by seed, so that an interrupted comparison has whole pairs
  Diagnostics warnings;
};

/// Everything that can be wrong with the input, before anything is trained.
Result<Plan> make_plan(const CompareOptions& options);

}  // namespace moescope::cli
