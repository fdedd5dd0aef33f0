#pragma once
// `--set moe.router.top_k=4`: one key from the command line. Threads: pure functions.

#include <string>

#include "core/config/toml_document.h"

namespace moescope::config {

struct Override {
  TomlEntry entry;   ///< both places name the option itself: "--set moe.router.top_k=4"
  std::string bare;  ///< what stands after '=', for keys that take a text
};

/// The value is read as TOML; what is no TOML value is a text, so that quotes need not survive a shell.
Result<Override> parse_override(const std::string& text);

}  // namespace moescope::config
