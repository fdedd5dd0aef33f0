#pragma once
// Steering without a window: commands given beforehand, each at its step. Threads: pure functions of their arguments.

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/run_config.h"
#include "core/train/trainer_thread.h"

namespace moescope::cli {

/// Lines "STEP command": "120 freeze router L2", "200 set train.lr 0.002". Empty lines and those that begin with # are
/// skipped; steps need not rise. Whatever can be told beforehand to be wrong is an error with line and column: words,
/// keys and values, layers, experts and stages the run does not have, steps outside `first_step` to the run's end, and
/// a pause that nothing ends. Rising steps come back, those of one step in the file's order.
Result<std::vector<train::ScheduledCommand>> parse_script(const std::string& text, const std::string& file_name,
                                                          const config::RunConfig& config, std::int64_t first_step);

/// The same from a file; also refuses one that is missing, unreadable or larger than 1 MiB.
Result<std::vector<train::ScheduledCommand>> read_script(const std::string& path, const config::RunConfig& config,
                                                         std::int64_t first_step);

/// `--set key=value` texts as commands at `step`: live keys only.
Result<std::vector<train::ScheduledCommand>> settings_as_commands(const std::vector<std::string>& settings,
                                                                  const config::RunConfig& config, std::int64_t step);

}  // namespace moescope::cli
