#pragma once
// What takes a command back, and what a command did to the loss. Threads: pure functions.

#include <optional>
#include <string>

#include "core/bus/command.h"
#include "core/telemetry/history.h"

namespace moescope::app {

/// The command that restores what `reply` changed: the old value, the opposite, the stage before. Nothing when the
/// command was refused or has no opposite.
std::optional<bus::Command> undo_of(const bus::Reply& reply, int stage_before);

inline constexpr std::int64_t kEffectSteps = 50;

/// "Δ task −0.04 bits after 50 steps": mean of the ten last steps of the stretch against the ten before `step`.
/// Nothing until the stretch is over, or when the steps before it are missing.
std::optional<std::string> effect_on_loss(const telemetry::History& history, std::int64_t step);

}  // namespace moescope::app
