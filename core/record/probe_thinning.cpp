#include "core/record/probe_thinning.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/record/run_schema.h"

namespace moescope::record {
namespace {

constexpr int kMostDoublings = 20;

}  // namespace

std::string ProbeThinning::reason() const {
  return spacing() == 1 ? "" : "1 of " + std::to_string(spacing()) + " is kept";
}

bool ProbeThinning::keeps(const telemetry::ProbeSnapshot& probe) const {
  const std::int64_t number = probe.step / std::max<std::int64_t>(1, probe.spacing);
  return probe.step <= 1 || number % spacing() == 0;
}

void ProbeThinning::add(const telemetry::FramePtr& frame, std::int64_t bytes_on_disk, RunBatch& batch) {
  const std::int64_t step = frame->step;
  while (budget_bytes_ > 0 && doublings_ < kMostDoublings && bytes_on_disk > budget_bytes_ * (doublings_ + 1)) {
    ++doublings_;
    if (bytes_on_disk > budget_bytes_ * (doublings_ + 1)) continue;  // a run gone on with: one event says it all
    batch.events.push_back({step, "probe_spacing",
                            "probes and router spaces use " + with_thousands(bytes_on_disk >> 20) +
                                " MB on disk: from here 1 of " + std::to_string(spacing()) + " is kept",
                            "lab"});
  }
  if (frame->probe && !keeps(*frame->probe)) {
    batch.without_probe.insert(step);
    batch.gaps.push_back({kProbeStream, step, step, 1, reason()});
    if (!frame->spaces.empty())
      batch.gaps.push_back({kSpaceStream, step, step, static_cast<std::int64_t>(frame->spaces.size()), reason()});
  }
  if (!frame->expert_tokens.empty()) {
    const std::int64_t spacing_of_tokens = std::int64_t{1} << doublings_;
    const bool kept = tokens_ == 0;
    tokens_ = tokens_ + 1 >= spacing_of_tokens ? 0 : tokens_ + 1;
    if (!kept) {
      batch.without_tokens.insert(step);
      batch.gaps.push_back({kTokensStream, step, step, 1, "1 of " + std::to_string(spacing_of_tokens) + " is kept"});
    }
  }
  batch.frames.push_back(frame);
}

}  // namespace moescope::record
