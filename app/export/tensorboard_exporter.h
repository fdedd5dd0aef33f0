#pragma once
// A run as an event file for `tensorboard --logdir`: losses, validation, learning rate, gradient norm, per layer
// entropy, load balance, drops and fluctuation, and histograms of the load over experts (expert e is the bar at e).
// Wall time is when the run was made plus the time its steps took, as a record holds no clock per step.
// Threads: one owner.

#include <memory>

#include "app/export/export_files.h"
#include "app/export/exporter.h"

namespace moescope::exports {

/// `run` and `files` outlive it.
std::unique_ptr<Exporter> tensorboard_exporter(const ExportedRun& run, ExportFiles& files);

}  // namespace moescope::exports
