#include "core/train/snapshot_ring.h"

#include <algorithm>
#include <utility>

#include "core/train/trainer_thread.h"

namespace moescope::train {

namespace {

std::size_t size_of(const Snapshot& snapshot) {
  std::size_t bytes = 0;
  for (const record::TensorBlock& block : *snapshot.blocks) bytes += block.bytes.size();
  return bytes;
}

}  // namespace

std::size_t SnapshotRing::free_bytes() const {
  const MutexLock lock(mutex_);
  return most_bytes_ - std::min(bytes_, most_bytes_);
}

void SnapshotRing::add(Snapshot snapshot) {
  const std::size_t bytes = size_of(snapshot);
  const MutexLock lock(mutex_);
  snapshots_.push_back(std::move(snapshot));
  bytes_ += bytes;
  while (bytes_ > most_bytes_ && snapshots_.size() > 1) {
    bytes_ -= size_of(snapshots_.front());
    snapshots_.pop_front();
  }
}

Snapshot SnapshotRing::newest(const std::string& run_id, std::int64_t step, std::int64_t commands) const {
  const MutexLock lock(mutex_);
  const Snapshot* best = nullptr;
  for (const Snapshot& one : snapshots_) {
    const bool fits = one.run_id == run_id && one.step <= step && one.commands <= commands;
    if (fits &&
        (best == nullptr || one.step > best->step || (one.step == best->step && one.commands >= best->commands)))
      best = &one;
  }
  return best == nullptr ? Snapshot{} : *best;
}

std::shared_ptr<SnapshotRing> make_snapshot_ring(std::size_t most_bytes) {
  return std::make_shared<SnapshotRing>(most_bytes);
}

}  // namespace moescope::train
