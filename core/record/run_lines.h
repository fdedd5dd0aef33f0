#pragma once
// The lines of journal.jsonl and metrics.jsonl. Layers count from 1 and experts from 0, as on screen.
// Threads: pure functions.

#include <string>

#include "core/bus/command.h"
#include "core/telemetry/frame.h"

namespace moescope::record {

/// One JSON object, no line end. Bytes that are not UTF-8 become U+FFFD; what was not measured is left out.
std::string journal_line(const bus::Reply& reply);
std::string metrics_line(const telemetry::TelemetryFrame& frame);

}  // namespace moescope::record
