#pragma once
// A model as a safetensors file: its parameters by name, and what its routers keep beside them as
// "moe.<layer>.router.<name>" (a bias set by rule, a table, a multiplier).
// Threads: trainer thread only.

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/model.h"

namespace moescope::train {

/// The file is whole or absent. Metadata: format, method, step.
Status save_weights(const std::string& path, const model::Model& model, const std::string& method, std::int64_t step);

/// What became of each tensor of the model and of the file.
struct LoadedWeights {
  std::string path;                  ///< of the file
  std::vector<std::string> loaded;   ///< in the model and in the file
  std::vector<std::string> fresh;    ///< in the model only: they start as without a file
  std::vector<std::string> ignored;  ///< in the file only
};

/// Starts `model` from an earlier run: every tensor of the same name is taken, the rest stays. `path` is a safetensors
/// file or a run's folder. One of the same name and another shape, or a file where no name fits, is an error and
/// changes nothing.
Result<LoadedWeights> load_weights(const std::string& path, model::Model& model);
/// "started from F: 40 tensors loaded, 2 left fresh (head.class.bias, head.class.weight), 1 ignored (…)".
std::string in_words(const LoadedWeights& weights);

/// The model exactly as it was saved: every tensor of either side must find its own, else this throws.
void load_exact_weights(const std::string& path, model::Model& model);

}  // namespace moescope::train
