#pragma once
// What a run of a configuration will leave on disk, before it starts: for the command line and the form of a new run.
// Rough on purpose (within a half), since how well numbers pack is known only afterwards.
// Threads: pure functions.

#include <cstdint>
#include <string>

#include "core/config/run_config.h"
#include "core/telemetry/frame.h"

namespace moescope::record {

/// What a configuration alone does not tell.
struct RunSize {
  std::int64_t num_parameters = 0;
  int num_layers = 0;        ///< MoE layers
  int router_space_dim = 0;  ///< 0: the method has no router space
  int num_stages = 1;
};
/// Of a run whose model is made; train::planned_run() tells it of one whose model is not.
RunSize size_of(const telemetry::RunInfo& info);

struct Retention {
  std::int64_t steps = 0;        ///< losses, loads and all else told at every step
  std::int64_t probes = 0;       ///< with router spaces
  std::int64_t checkpoints = 0;  ///< with final.safetensors
  std::int64_t total() const { return steps + probes + checkpoints; }
};
Retention estimated_retention(const config::RunConfig& config, const RunSize& size);

/// "about 34 MB: checkpoints 29 MB, probes 4 MB, losses and loads 1 MB"
std::string in_words(const Retention& retention);

/// "34 MB", "1.2 GB": two digits, decimal units.
std::string size_in_words(std::int64_t bytes);

}  // namespace moescope::record
