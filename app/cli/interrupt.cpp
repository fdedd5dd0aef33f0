#include "app/cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "app/cli/verb.h"

namespace moescope::cli {
namespace {

std::atomic<bool> asked{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch nothing else");

void on_signal(int) {
  if (asked.exchange(true)) ::_exit(kInterrupted);
}

}  // namespace

void watch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupted() { return asked; }

}  // namespace moescope::cli
