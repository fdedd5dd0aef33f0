#pragma once
// What a finished run left on disk (run.db, report.json), as the numbers and curves a comparison is made of. Threads:
// pure functions of files.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/cli/compare_plan.h"
#include "core/analysis/quality.h"

namespace moescope::cli {

/// Values over steps; means over layers where the run has several.
struct Series {
  std::vector<std::int64_t> step;
  std::vector<double> value;
};

struct RuleRecord {
  std::string name;
  std::map<std::string, double> values;  ///< loss, tokens_per_second, …, bleu: the keys of report.json
};

struct RunRecord {
  std::int64_t seed = 0;
  std::vector<analysis::CurvePoint> validation;  ///< nats; seconds of training steps alone
  Series fluctuation, effective_experts, entropy, collapse;
  std::set<std::int64_t> spacings;       ///< steps between probes
  std::set<std::int64_t> late_spacings;  ///< of the last fifth
  std::vector<double> late_load_LE;      ///< summed over the last 100 steps, layer after layer
  std::size_t num_layers = 0;            ///< of those
  std::map<std::string, double> values;  ///< by the keys of compare_metrics.h; what was not measured is missing
  std::vector<RuleRecord> rules;
  std::string bleu_signature;
};

/// Requires: the run is complete and evaluated. A file that cannot be read as what it should be is a message.
Result<RunRecord> read_run(const PlannedRun& run);

}  // namespace moescope::cli
