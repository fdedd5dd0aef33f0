#pragma once
// States of recent step boundaries in memory. Threads: any; values only, shared by trainers one after another.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "core/base/mutex.h"
#include "core/record/checkpoint_files.h"

namespace moescope::train {

inline constexpr std::int64_t kSnapshotEvery = 50;  ///< steps; a copy costs about 5 ms a million parameters

struct Snapshot {
  std::string run_id;
  std::int64_t step = 0;
  std::int64_t commands = 0;  ///< journal rows that had acted
  record::Blocks blocks;
};

class SnapshotRing {
 public:
  explicit SnapshotRing(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// What it may still take.
  std::size_t free_bytes() const;
  /// The oldest go when there is no room; the newest always stays.
  void add(Snapshot snapshot);
  /// The newest of run `run_id` with at most `step` steps and `commands` commands behind it; null blocks: none.
  Snapshot newest(const std::string& run_id, std::int64_t step, std::int64_t commands) const;

 private:
  const std::size_t most_bytes_;
  mutable Mutex mutex_;
  std::deque<Snapshot> snapshots_ MOESCOPE_GUARDED_BY(mutex_);
  std::size_t bytes_ MOESCOPE_GUARDED_BY(mutex_) = 0;
};

}  // namespace moescope::train
