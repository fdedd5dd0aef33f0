#pragma once
// What the formats of an export have in common: a run's tables at once, its frames in pieces, so that a long run needs
// little memory. Each format is one file <format>_exporter.cpp.
// Threads: one owner.

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/run_rows.h"

namespace moescope::exports {

/// A recorded run without its frames.
struct ExportedRun {
  record::RunFacts facts;
  telemetry::RunInfo info;
  std::int64_t last_step = 0;
  std::vector<record::CommandRow> commands;
  std::vector<record::EventRow> events;
  std::vector<record::GapRow> gaps;
};

/// Its files are registered where it is made, opened by the caller, and committed by the caller after finish().
class Exporter {
 public:
  virtual ~Exporter() = default;
  /// Before the first frame: head lines and tables.
  virtual void start() {}
  /// Frames in rising order of steps; all calls together give every frame once.
  virtual void add(const std::vector<telemetry::FramePtr>& frames) = 0;
  /// After the last frame. Errors: what was asked for is not in the run.
  virtual Status finish() { return Done{}; }
  /// After finish(): what was left out and why, one sentence each.
  virtual std::vector<std::string> notes() const { return {}; }
};

}  // namespace moescope::exports
