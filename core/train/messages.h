#pragma once
// Results and exceptions as one line each, for replies, notices and failures. Threads: pure functions.

#include <exception>
#include <string>

#include "core/base/diagnostic.h"
#include "core/base/result.h"

namespace moescope::train {

using moescope::one_line;
/// Empty when there is no error.
std::string one_line(const Status& status);

/// What an exception says to a user: out of memory by that name, LibTorch's errors without their stack.
std::string one_line(const std::exception_ptr& exception);

/// LibTorch or the program itself could not get memory.
bool is_out_of_memory(const std::exception_ptr& exception);

}  // namespace moescope::train
