#pragma once
// A chunk of a run file checked and unpacked: its checksum first, then its sizes, then zstd into a buffer of exactly
// that size. Private to this room, and to its fuzz target. Threads: pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::record {

/// A row of the table `chunk`, without its stream; see run_schema.cpp.
struct StoredChunk {
  std::int64_t first_step = 0, last_step = 0;
  std::int64_t n = 0;
  std::int64_t raw_bytes = 0;
  std::int64_t xxh64 = 0;
  std::string_view data;
};

/// The values one after another. The error is a half sentence: "its checksum differs".
Result<std::string> unpack_chunk(const StoredChunk& chunk);

}  // namespace moescope::record
