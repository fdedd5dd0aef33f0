#pragma once
// Top tokens per expert of one layer: what an expert is chosen for more than the others are, by smoothed log-odds over
// recent training tokens. One row per expert: name, share of load, tokens. Threads: pure functions.

#include "views/view.h"

namespace moescope::views {

Scene tokens_scene(const ViewContext& context, Size size);

}  // namespace moescope::views
