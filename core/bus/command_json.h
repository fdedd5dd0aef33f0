#pragma once
// Commands and replies as JSON text: what the journal stores, what its hash chain covers, and what a child process is
// sent. Canonical: equal commands give equal bytes (keys in a fixed order, numbers in their shortest exact form).
// Threads: pure functions.

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/bus/command.h"
#include "core/bus/run_state.h"

namespace moescope::bus {

/// {"kind": "set", "who": "you", …}: parts that a kind does not use are left out. Text that is not UTF-8 becomes
/// U+FFFD.
std::string to_json(const Command& command);
std::string to_json(const Reply& reply);
std::string to_json(const RunStatus& status);

/// Limited in size and depth; an unknown kind, a missing part or one of the wrong type is an error that names it.
Result<Command> command_from_json(std::string_view text);
Result<Reply> reply_from_json(std::string_view text);
Result<RunStatus> status_from_json(std::string_view text);

}  // namespace moescope::bus
