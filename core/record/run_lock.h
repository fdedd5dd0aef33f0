#pragma once
// The lock of a run folder: one recorder at a time, in any process. It goes with the process, however that ends.
// Private to this room. Threads: one owner.

#include <string>
#include <utility>

#include "core/base/result.h"

namespace moescope::record {

class RunLock {
 public:
  /// Refuses within a second when another recorder holds it, and names its process.
  static Result<RunLock> take(const std::string& folder);
  RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RunLock& operator=(RunLock&&) = delete;
  ~RunLock();

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace moescope::record
