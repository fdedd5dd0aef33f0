#pragma once
// What a failure that SQLite reports while writing means: whether to try again, and what to say. Private to this room.
// Threads: pure but for the connection that is asked.

#include <sqlite3.h>

#include <string>

#include "core/base/diagnostic.h"

namespace moescope::record {

/// Whether the same transaction may be tried again on the same file: nothing was written, or it is known how far.
bool may_wait(int code, int system_error);

/// SQLite words its own state; the system's words say more where there are any.
Diagnostic failure_in_words(const std::string& path, int code, int system_error, const std::string& message);

/// The system's reason; only errors of the system have one, after others SQLite still tells an older one.
int system_error_of(sqlite3* database, int code);

}  // namespace moescope::record
