#pragma once
// A run as JSON lines: metrics.jsonl (every step, as `train --json` prints it), journal.jsonl (every command) and
// loads.jsonl (one row per step, layer and expert). Layers count from 1, experts from 0.
// Threads: one owner.

#include <memory>

#include "app/export/export_files.h"
#include "app/export/exporter.h"

namespace moescope::exports {

/// `run` and `files` outlive it.
std::unique_ptr<Exporter> jsonl_exporter(const ExportedRun& run, ExportFiles& files);

}  // namespace moescope::exports
