#pragma once
// One text file, read with limits: what cannot be text is refused quickly and by name.
// Threads: functions without state.

#include <cstdint>
#include <string>

#include "core/base/result.h"

namespace moescope::corpus {

/// The most text a file, or all files of a folder together, may hold. Token ids take four bytes each, so a corpus of
/// this size under the byte tokenizer stays well below 1 GB of memory.
constexpr std::uint64_t kMaxCorpusBytes = std::uint64_t{64} << 20;

/// The text of the file, a byte order mark left out and line ends as '\n'. Refused: missing, unreadable, not a regular
/// file, larger than `max_bytes` (decided by its stated size, before a byte is read), changed while it was read, a
/// zero byte, not UTF-8. A file deleted while it is read is read to its end, as Unix does.
Result<std::string> read_text_file(const std::string& path, std::uint64_t max_bytes = kMaxCorpusBytes);

/// An error about `path` as a whole.
Diagnostic about_file(const std::string& path, std::string message, std::string hint);

}  // namespace moescope::corpus
