#pragma once
// "Distil and pin now" for methods without a student of their own: what a router chooses, as a table by token id. Of
// all routers that see the token id alone, the one that picks the most frequent choice errs least, so no training is
// needed (StableMoE, Dai et al. 2022, section 3.2, learns the same by gradient). Threads: trainer thread only.

#include <cstdint>
#include <vector>

#include "core/model/model.h"

namespace moescope::train {

struct Distilled {
  std::int64_t tokens = 0;        ///< training tokens that were looked at
  std::vector<double> agreement;  ///< by layer: share of their choices that the table repeats; −1: no table
};

/// Routes the batches of `kDistilBatches` steps from `first_step` on without noise or capacity and hands each router of
/// `layers` its table. Routers that take none keep their state.
inline constexpr int kDistilBatches = 16;
Distilled distil_choices(model::Model& model, model::BatchSource& batches, std::int64_t first_step,
                         std::uint64_t run_seed, const std::vector<int>& layers);

}  // namespace moescope::train
