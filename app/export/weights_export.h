#pragma once
// The model of a checkpoint as a plain safetensors file: what [model] init_from takes and what final.safetensors is.
// Threads: pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/run_rows.h"

namespace moescope::exports {

/// The checkpoint of `step`, or the newest; those taken at a failure only when their step is asked for and no other is
/// there. Errors name the steps there are.
Result<record::CheckpointRow> chosen_checkpoint(const std::vector<record::CheckpointRow>& checkpoints,
                                                std::optional<std::int64_t> step);

/// The step whose weights `file` holds, by its own words; nothing when it cannot be read or does not say.
std::optional<std::int64_t> step_of_weights(const std::string& file);

/// Reads the checkpoint file `from` and writes `to`: tensors "model/<name>" as "<name>" and "router/<layer>/<name>" as
/// "moe.<layer>.router.<name>", nothing else. Errors: `from` cannot be read or holds no model, `to` not written.
Status export_weights(const std::string& from, const std::string& to, const std::string& method, std::int64_t step);

/// The same of a file that holds the model alone already: a run's final.safetensors.
Status copy_weights(const std::string& from, const std::string& to);

}  // namespace moescope::exports
