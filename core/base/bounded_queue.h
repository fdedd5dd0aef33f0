#pragma once
// The one queue between threads. Its capacity is fixed, and what happens when it is full is said at each push:
// push_drop_oldest() (frames for a window) or try_push() (commands, which are then refused).
// Threads: every method may be called from any thread. No method runs user code while holding the lock.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/mutex.h"

namespace moescope {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {
    MOESCOPE_ASSERT(capacity > 0, "a queue of no room would lose everything");
  }

  /// Adds `item`; false and no change when the queue is full.
  bool try_push(T item) {
    {
      MutexLock lock(mutex_);
      if (items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    arrived_.notify_one();
    return true;
  }

  /// Adds `item`, making room by dropping the oldest; dropped() counts those.
  void push_drop_oldest(T item) {
    std::optional<T> oldest;  // destroyed after the lock is gone
    {
      MutexLock lock(mutex_);
      if (items_.size() >= capacity_) {
        oldest = std::move(items_.front());
        items_.pop_front();
        ++dropped_;
      }
      items_.push_back(std::move(item));
    }
    arrived_.notify_one();
  }

  std::optional<T> try_pop() {
    MutexLock lock(mutex_);
    if (items_.empty()) return std::nullopt;
    std::optional<T> item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  /// Everything that waits now, oldest first.
  std::vector<T> drain() {
    std::deque<T> items;
    {
      MutexLock lock(mutex_);
      items.swap(items_);
    }
    return {std::make_move_iterator(items.begin()), std::make_move_iterator(items.end())};
  }

  /// Returns when something waits, or after `timeout`.
  void wait_for_item(std::chrono::milliseconds timeout) {
    mutex_.lock();
    if (items_.empty()) arrived_.wait_for(mutex_, timeout);
    mutex_.unlock();
  }

  /// What was left out before it came here, as one count with what is dropped here.
  void count_dropped(std::uint64_t items) {
    MutexLock lock(mutex_);
    dropped_ += items;
  }

  std::uint64_t dropped() const {
    MutexLock lock(mutex_);
    return dropped_;
  }

 private:
  const std::size_t capacity_;
  mutable Mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<T> items_ MOESCOPE_GUARDED_BY(mutex_);
  std::uint64_t dropped_ MOESCOPE_GUARDED_BY(mutex_) = 0;
};

}  // namespace moescope
