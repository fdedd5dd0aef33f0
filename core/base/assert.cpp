#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace moescope {

void assertion_failed(const char* file, int line, const char* condition, const char* reason) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n  should hold: %s\n", file, line, condition, reason);
  std::abort();
}

}  // namespace moescope
