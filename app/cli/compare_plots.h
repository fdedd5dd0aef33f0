#pragma once
// The plots of a comparison. Threads: pure functions.

#include <string>
#include <vector>

#include "app/cli/compare_metrics.h"

namespace moescope::cli {

struct PlotFile {
  std::string name;  ///< "loss_steps.svg"
  std::string svg;
};

/// Every plot there are values for.
std::vector<PlotFile> plots(const Comparison& comparison);

}  // namespace moescope::cli
