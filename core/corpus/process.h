#pragma once
// Another program, started without a shell and stopped with us.
// Threads: run_process() may be called from several threads at once.

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace moescope::corpus {

struct ProcessRequest {
  std::vector<std::string> arguments;  ///< the program, looked up on PATH, then its arguments
  std::string working_folder;          ///< empty: ours
  std::size_t max_output = std::size_t{64} << 20;
  std::function<void()> while_running;  ///< called a few times a second
};

struct ProcessResult {
  int exit_code = -1;  ///< 128 + n when signal n ended it
  std::string output;
  std::string errors;
};

/// Runs to the end with empty input and messages in English. A failure is a program that cannot be started, one that
/// writes more than max_output, or a stop, which kills it and what it started.
Result<ProcessResult> run_process(const ProcessRequest& request, const std::stop_token& stop);

/// Whether `program` is on PATH.
bool program_exists(const std::string& program);

}  // namespace moescope::corpus
