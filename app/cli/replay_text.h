#pragma once
// What `replay` prints. Threads: pure functions, but for the reader's own state.

#include <string>

#include "app/cli/recorded_run.h"
#include "core/train/verify_run.h"

namespace moescope::cli {

/// The run, its journal, its events, and what is not in the file.
std::string in_words(const RecordedRun& run);
std::string to_json(const RecordedRun& run);

/// What was compared, and the first thing that differs.
std::string in_words(const train::Verdict& verdict);
std::string to_json(const train::Verdict& verdict);

/// "2026-11-28 09:15 UTC" of nanoseconds since 1970.
std::string utc_text(std::int64_t nanoseconds);

/// `text` filled up with blanks to `columns` characters.
std::string padded(std::string text, std::size_t columns);

}  // namespace moescope::cli
