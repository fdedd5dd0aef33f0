#pragma once
// Validation loss by the method's own evaluation rule.
// Threads: trainer thread only.

#include <vector>

#include "core/model/dataset.h"
#include "core/model/model.h"

namespace moescope::train {

/// Mean cross-entropy in nats per token over all batches. No batches: NaN.
double validation_loss(model::Model& model, const std::vector<model::Batch>& batches);

inline constexpr double kBitsPerNat = 1.4426950408889634;

}  // namespace moescope::train
