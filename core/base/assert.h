#pragma once
// MOESCOPE_ASSERT(condition, "what should hold and why"): for what only we can break, on in all builds.
// What a user can cause is a Diagnostic, never an assertion.

namespace moescope {

/// Prints place, condition and reason to stderr and aborts.
[[noreturn]] void assertion_failed(const char* file, int line, const char* condition, const char* reason);

}  // namespace moescope

#define MOESCOPE_ASSERT(condition, reason) \
  ((condition) ? static_cast<void>(0) : ::moescope::assertion_failed(__FILE__, __LINE__, #condition, reason))
