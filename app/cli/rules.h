#pragma once
// Evaluation rules as the command line gives them: "eval_top_k=1,2,4". Threads: pure functions.

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/train/report.h"

namespace moescope::cli {

struct RuleOptions {
  std::string top_k;               ///< --k "1,2,4,8"
  std::string groups;              ///< --groups "2,4"
  std::vector<std::string> rules;  ///< --rule key=v1,v2
};

/// The method's router section has that field.
bool has_router_field(const config::MethodInfo& method, const std::string& key);

/// One rule per value. A field the method does not have, one that cannot change and a value out of range are errors.
Result<std::vector<train::EvaluationRule>> evaluation_rules(const RuleOptions& options, const config::RunConfig& config,
                                                            const config::MethodInfo& method);

}  // namespace moescope::cli
