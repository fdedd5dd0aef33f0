#pragma once
// A run as tables for pandas, R and spreadsheets:
//   scalars.csv       run,step,name,value: losses, validation, learning rate, gradient norm, times, stage
//   layers.csv        one row per step and layer: entropy, agreement, fluctuation, controls …
//   loads.csv         one row per step, layer and expert
//   probes.csv        one row per probe, layer, probe token and choice
//   probe_tokens.csv  what the probe's tokens are
//   journal.csv       every command, events.csv what happened, gaps.csv what was not kept
// Layers, stages and choices count from 1, experts and probe tokens from 0. Threads: one owner.

#include <memory>

#include "app/export/export_files.h"
#include "app/export/exporter.h"

namespace moescope::exports {

/// `run` and `files` outlive it.
std::unique_ptr<Exporter> csv_exporter(const ExportedRun& run, ExportFiles& files);

}  // namespace moescope::exports
