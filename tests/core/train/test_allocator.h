#pragma once
// Allocators that stand in for LibTorch's on the CPU while they live: one that fails, one that counts.

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace moescope::test {

/// The n-th request from arm() on finds no memory, once.
class FailingAllocator final : public c10::Allocator {
 public:
  FailingAllocator() : real_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, /*priority=*/100); }
  ~FailingAllocator() override { c10::SetCPUAllocator(real_, /*priority=*/100); }
  FailingAllocator(const FailingAllocator&) = delete;
  FailingAllocator& operator=(const FailingAllocator&) = delete;

  void arm(int n) {
    left_ = n;
    asked_ = 0;
  }
  /// Requests since arm().
  int asked() const { return asked_; }
  bool has_failed() const { return left_ == 0; }

  c10::DataPtr allocate(std::size_t bytes) override {
    ++asked_;
    if (left_ > 0 && --left_ == 0) C10_THROW_ERROR(OutOfMemoryError, "the test's allocator has nothing left");
    return real_->allocate(bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return real_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { real_->copy_data(to, from, bytes); }

 private:
  c10::Allocator* real_;
  int left_ = -1, asked_ = 0;
};

/// Bytes that tensors hold, and the most they ever held.
class CountingAllocator final : public c10::Allocator {
 public:
  CountingAllocator() : real_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, /*priority=*/100); }
  ~CountingAllocator() override { c10::SetCPUAllocator(real_, /*priority=*/100); }
  CountingAllocator(const CountingAllocator&) = delete;
  CountingAllocator& operator=(const CountingAllocator&) = delete;

  std::int64_t now() const { return count_->now; }
  std::int64_t most() const { return count_->most; }
  /// From here on most() starts at what is held now.
  void forget_most() { count_->most = count_->now; }

  c10::DataPtr allocate(std::size_t bytes) override {
    auto held = std::make_unique<Held>(Held{real_->allocate(bytes), static_cast<std::int64_t>(bytes), count_});
    count_->now += held->bytes;
    count_->most = std::max(count_->most, count_->now);
    void* data = held->memory.get();
    const c10::Device device = held->memory.device();
    return {data, held.release(), &release, device};
  }
  c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { real_->copy_data(to, from, bytes); }

 private:
  struct Count {
    std::int64_t now = 0, most = 0;
  };
  struct Held {
    c10::DataPtr memory;
    std::int64_t bytes;
    std::shared_ptr<Count> count;  ///< tensors may outlive the allocator
  };
  static void release(void* held) {
    const std::unique_ptr<Held> ended(static_cast<Held*>(held));
    ended->count->now -= ended->bytes;
  }

  c10::Allocator* real_;
  std::shared_ptr<Count> count_ = std::make_shared<Count>();
};

}  // namespace moescope::test
