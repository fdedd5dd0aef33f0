#pragma once
// Carries out a plan: trains what is missing, one run after another in this process, and evaluates each run that has
// no report yet. Threads: one owner.

#include "app/cli/compare_plan.h"

namespace moescope::cli {

/// Trains and evaluates until all runs are recorded to their end and have final.safetensors and report.json. A run that
/// was cut short goes on where it stopped, to the same bits. Returns an ExitCode; what is not kDone has been told on
/// stderr, and finished runs stay.
int carry_out(const Plan& plan, const CompareOptions& options);

}  // namespace moescope::cli
