#pragma once
// What a training run looks like on one line. Threads: pure functions.

#include <string>

#include "core/telemetry/frame.h"

namespace moescope::cli {

struct ProgressFacts {
  std::int64_t step = 0;
  std::int64_t total_steps = 0;
  double steps_per_second = 0;   ///< 0: not known yet
  std::string stage;             ///< empty when the method has one stage only
  double task_nats = 0;          ///< NaN: not known yet
  double effective_experts = 0;  ///< NaN: not known
  int num_experts = 0;
};

/// "340/1,200 [████░░░░] 28 %  5.31 bits/token  9.8 steps/s  1 min 27 s left  Learn  7.2 of 8 experts"
std::string progress_line(const ProgressFacts& facts, int columns);

/// Mean over layers of e^entropy of the loads; NaN when there are none.
double effective_experts(const telemetry::TelemetryFrame& frame);

/// The loss named "task" in nats per token; NaN when there is none.
double task_loss(const telemetry::TelemetryFrame& frame);

/// "5.31 bits/token"
std::string bits_text(double nats);

}  // namespace moescope::cli
