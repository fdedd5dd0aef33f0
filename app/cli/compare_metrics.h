#pragma once
// The figures of a comparison: which there are, per configuration mean and standard error over seeds, and the
// differences to the first configuration, paired by seed. Threads: pure functions.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/compare_records.h"
#include "core/analysis/agreement.h"
#include "core/analysis/quality.h"

namespace moescope::cli {

struct Metric {
  std::string key;  ///< in RunRecord::values
  std::string title;
  std::string unit;
  int digits = 3;         ///< after the point
  double scale = 1;       ///< from the recorded unit to the shown one
  bool constant = false;  ///< does not depend on the seed: no error
};

/// One configuration's figures.
struct ComparedConfiguration {
  std::string name;
  std::vector<RunRecord> runs;  ///< by seed
  /// Runs that start from one set of weights only: there experts correspond.
  std::optional<analysis::RunConsistency> consistency;

  std::vector<analysis::SeedValue> values(const Metric& metric) const;
};

struct Comparison {
  std::vector<ComparedConfiguration> configurations;
  std::vector<Metric> metrics;     ///< those that at least one run has
  std::string loss_unit;           ///< "nats per token"
  std::vector<std::string> notes;  ///< what the figures rest on
  std::string fluctuation_note;    ///< probe size, spacing, variant
};

/// Reads every run of the plan, and adds what only a comparison can tell: steps and seconds to the first
/// configuration's final loss of the same seed.
Result<Comparison> compare_runs(const Plan& plan);

/// A rule of evaluation as "key = value" with a number; nothing for others.
std::optional<std::pair<std::string, double>> rule_value(const std::string& name);

}  // namespace moescope::cli
