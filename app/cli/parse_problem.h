#pragma once
// What a user is told whose command line cannot be read. Threads: pure functions.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace moescope::cli {

/// The message and, where there is one, what was probably meant. `arguments` are those after the program's name.
std::string parse_problem(const CLI::App& program, const CLI::ParseError& problem,
                          const std::vector<std::string>& arguments);

}  // namespace moescope::cli
