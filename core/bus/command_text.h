#pragma once
// Commands as a person writes them: the words of describe(), read back. Threads: pure functions.

#include <string_view>

#include "core/base/result.h"
#include "core/bus/command.h"

namespace moescope::bus {

/// "freeze router L2", "freeze expert L2·E3" (or "L2 E3"), "set train.lr 0.002", "switch to stage 2", "probe "a text""
/// …: parse_command(describe(c)) is c again for every kind but kWatch, which only a window sends. A value is read as
/// TOML; what is no TOML value is a text. An error's place has the column (from 1) and the text; the caller adds file
/// and line.
Result<Command> parse_command(std::string_view text);

}  // namespace moescope::bus
