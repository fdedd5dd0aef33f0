#pragma once
// Expert load of one layer: a heat map expert × time, bars of the current shares with the capacity line, and the key
// figures in words. Loads are counted before capacity, over all training tokens. Threads: pure functions.

#include <cstdint>
#include <string>
#include <vector>

#include "views/scene/time_axis.h"
#include "views/view.h"

namespace moescope::views {

/// What is remembered between frames, because a frame without a step (a command while paused) carries no capacity.
struct LoadState {
  std::vector<double> capacity_factor_L;  ///< capacity as a multiple of the fair share; 0: no limit

  void update(const telemetry::History& history);
};

Scene load_scene(const ViewContext& context, Size size, const LoadState& state);

/// The axis of the heat map in load_scene() of the same context and size.
TimeAxis load_time_axis(const ViewContext& context, Size size);

/// Exact figures of the heat map's cell at `step` and `at`, as tooltip lines; empty outside of it.
std::string load_readout(const ViewContext& context, Size size, std::int64_t step, Vec2 at);

}  // namespace moescope::views
