#pragma once
// What one training pass left behind in one layer, as plain numbers.
// Threads: trainer thread only.

#include "core/moe/moe_layer.h"
#include "core/telemetry/frame.h"

namespace moescope::train {

telemetry::LayerStep layer_step(const moe::LayerRecord& record);

/// The routing of T tokens as the probe keeps it. `top_k` is the number of choices a token has now; a routing that
/// gives a token fewer (expert choice, threshold gates) leaves −1, one that gives more keeps the first.
telemetry::LayerProbe layer_probe(const moe::Routing& routing, std::int64_t num_tokens, int top_k);

}  // namespace moescope::train
