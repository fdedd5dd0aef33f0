#pragma once
// A comparison as text: Markdown for people, CSV for spreadsheets, JSON for programs. Threads: pure functions.

#include <string>

#include "app/cli/compare_metrics.h"

namespace moescope::cli {

/// Figures by configuration; differences to the first, paired by seed; one line per evaluation rule where there are
/// several; what the figures rest on.
std::string to_markdown(const Comparison& comparison);

/// One line per configuration and figure, full precision; seeds' values are separated by spaces.
std::string to_csv(const Comparison& comparison);

std::string to_json(const Comparison& comparison, const Plan& plan);

}  // namespace moescope::cli
