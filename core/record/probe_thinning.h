#pragma once
// Which probes and expert tokens are kept: every n-th, and ever fewer once they have used up their budget on disk. Of
// probes it is a function of the step, so that a resumed run keeps those the uninterrupted one would.
// Private to this room. Threads: a plain value.

#include <cstdint>
#include <optional>
#include <string>

#include "core/record/run_writer.h"

namespace moescope::record {

class ProbeThinning {
 public:
  /// Requires: every ≥ 1; budget_bytes 0: no limit.
  ProbeThinning(std::int64_t every, std::int64_t budget_bytes) : every_(every), budget_bytes_(budget_bytes) {}

  /// Adds `frame` to `batch` with what is dropped of it, and an event when it begins to drop more.
  void add(const telemetry::FramePtr& frame, std::int64_t bytes_on_disk, RunBatch& batch);

 private:
  std::int64_t spacing() const { return every_ << doublings_; }
  bool keeps(const telemetry::ProbeSnapshot& probe) const;
  std::string reason() const;

  std::int64_t every_, budget_bytes_;
  int doublings_ = 0;
  std::int64_t tokens_ = 0;  // since the last kept ones
};

}  // namespace moescope::record
