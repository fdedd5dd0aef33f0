#pragma once
// Other runs behind the shown one: how their curves look, and how far the common time axis reaches.
// Threads: pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "views/scene/labels.h"
#include "views/view.h"

namespace moescope::views {

/// One ghost is grey; of several each has a colour of its own. Every ghost is dashed, thin and named where it ends.
Color ghost_color(const ViewContext& context, std::size_t ghost);

/// The newest step of the shown run and of all ghosts; at least 1.
std::int64_t last_step_of_all(const ViewContext& context);

/// One dashed item per ghost, with its name.
void add_ghosts_to(std::vector<LegendItem>& items, const ViewContext& context);

/// Why single experts of the two cannot be compared, in words; empty: they are the same experts. Runs of equal sizes
/// that began apart are not comparable: each numbered its experts by its own chance.
std::string comparison_obstacle(const telemetry::Ghost& ghost, const telemetry::RunInfo& run);
bool is_comparable(const telemetry::Ghost& ghost, const telemetry::RunInfo& run);

/// Indices of the comparable ones.
std::vector<std::size_t> ghosts_with_same_experts(const ViewContext& context);

/// The comparable ghost that Selection::against names; nullptr: the views show the run itself.
const telemetry::Ghost* difference_ghost(const ViewContext& context);

/// What Selection::against becomes with the next click or key: each comparable ghost in turn, then none.
std::optional<std::string> next_against(const ViewContext& context);

/// Changes with whatever ghost difference_ghost() gives, for Picture::version; 0 without one.
std::uint64_t difference_version(const ViewContext& context);

}  // namespace moescope::views
