#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <malloc.h>

#include <mutex>

#include "core/train/trainer_thread.h"

namespace moescope::train {

void initialise_process() {
  static std::once_flag once;
  std::call_once(once, [] {
    // glibc hands large blocks back to the kernel on every free; taking them again costs page faults each step.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, -1);
    mallopt(M_TOP_PAD, 64 << 20);
    at::set_num_interop_threads(1);
    // Products with denormal numbers are tens of times slower. Threads started from here inherit it.
    at::globalContext().setFlushDenormal(true);
  });
}

}  // namespace moescope::train
