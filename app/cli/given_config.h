#pragma once
// What a verb that trains is given on the command line beside the configuration file. Threads: pure functions.

#include <string>
#include <vector>

namespace moescope::cli {

/// The shorthands --steps and --seed (empty: not given) are settings like any other, checked by the same rules.
std::vector<std::string> with_shorthands(std::vector<std::string> settings, const std::string& steps,
                                         const std::string& seed);

/// The file as given, and what the command line changed as comments, so that it is still the same file.
std::string source_with(std::string text, const std::vector<std::string>& settings);

}  // namespace moescope::cli
