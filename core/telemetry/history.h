#pragma once
// What the window remembers of a run: every step's scalars and loads, every probe. Read-only for views.
// Threads: one owner; the window's is the UI thread, a recorded run is read into one elsewhere and handed over whole.
//
// Loads are kept per step up to kMaxColumns and then merged by pairs, so that memory is bounded for any length of run
// while a layer that starved for one step stays visible (minimum and maximum survive merging). Series, probes and
// router spaces are thinned too, the older ones first.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/telemetry/frame.h"

namespace moescope::telemetry {

/// A stretch of steps merged into one column.
struct LoadColumn {
  std::int64_t first_step = 0;
  std::int64_t last_step = 0;
  int frames = 1;  ///< how many frames the means are over
  /// Per layer × expert, row-major: share of the layer's (token, choice) pairs; mean, least and most over the stretch.
  std::vector<float> share_LE;
  std::vector<float> min_LE;
  std::vector<float> max_LE;
  std::vector<float> dropped_LE;  ///< share of the expert's pairs dropped, mean
};

struct ScalarSeries {
  std::string name;
  std::vector<std::int64_t> step;
  std::vector<double> value;
};

class History {
 public:
  static constexpr std::size_t kMaxColumns = 4096;
  static constexpr std::size_t kMaxProbes = 2048;
  static constexpr std::size_t kMaxPoints = 32768;  ///< of one series
  static constexpr std::size_t kMaxEvents = 4096;
  static constexpr std::size_t kMaxSpaceBytes = std::size_t{64} << 20;  ///< of all router spaces together

  /// Forgets everything and starts on a new run.
  void start(std::shared_ptr<const RunInfo> run);
  /// The same run goes on, maybe told anew: everything stays.
  void go_on(std::shared_ptr<const RunInfo> run);
  /// Adds a frame. Frames may have gaps (dropped ones) but never go back.
  void add(FramePtr frame);

  const RunInfo* run() const { return run_.get(); }
  /// The newest frame, or nullptr before the first.
  const TelemetryFrame* latest() const { return latest_.get(); }
  std::uint64_t version() const { return version_; }  ///< grows with every change: repaint only when it did

  const std::vector<LoadColumn>& loads() const { return loads_; }
  const std::vector<std::shared_ptr<const ProbeSnapshot>>& probes() const { return probes_; }
  const std::vector<Event>& events() const { return events_; }
  /// "task", "total", "validation", "lr", "grad_norm", "tokens_per_second", auxiliary losses … nullptr when unknown.
  const ScalarSeries* series(const std::string& name) const;
  const std::vector<ScalarSeries>& all_series() const { return series_; }
  /// Latest router space of a layer, or nullptr.
  const RouterSpace* space(int layer) const;
  /// The newest router space of a layer at or before `step`; nullptr when there is none.
  const RouterSpace* space_at(int layer, std::int64_t step) const;
  const std::vector<ExpertTokens>& expert_tokens() const { return expert_tokens_; }

  /// The newest probe at or before `step`; nullptr when there is none.
  const ProbeSnapshot* probe_at(std::int64_t step) const;

 private:
  void add_scalar(const std::string& name, std::int64_t step, double value);
  void add_load(const TelemetryFrame& frame);
  void add_probe(std::shared_ptr<const ProbeSnapshot> probe);
  void add_space(std::shared_ptr<const RouterSpace> space);

  std::shared_ptr<const RunInfo> run_;
  FramePtr latest_;
  std::uint64_t version_ = 0;
  std::vector<LoadColumn> loads_;
  std::int64_t steps_per_column_ = 1;
  std::vector<std::shared_ptr<const ProbeSnapshot>> probes_;
  std::vector<Event> events_;
  std::vector<ScalarSeries> series_;
  std::vector<std::vector<std::shared_ptr<const RouterSpace>>> spaces_;  ///< by layer, rising in step
  std::size_t space_bytes_ = 0;
  std::vector<ExpertTokens> expert_tokens_;
};

/// Another run that the pictures show this one against: the parent of a fork, or one opened beside it.
struct Ghost {
  std::string name;
  std::shared_ptr<const History> history;
  bool same_experts = false;  ///< both come from one run by forking: expert 3 is the same expert in both
};

}  // namespace moescope::telemetry
