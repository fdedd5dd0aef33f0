#include "core/record/chunk_reader.h"

#include <zstd.h>

#include "core/record/chunk_builder.h"
#include "core/record/run_schema.h"

namespace moescope::record {

Result<std::string> unpack_chunk(const StoredChunk& chunk) {
  if (chunk_hash(chunk.data) != chunk.xxh64) return error("its checksum differs");
  // Whoever makes a file can make a checksum: from here on nothing is believed.
  if (chunk.raw_bytes < 1 || chunk.raw_bytes > kMostChunkBytes || chunk.n < 1 || chunk.n > chunk.raw_bytes)
    return error("its size is not that of a chunk");
  const unsigned long long declared = ZSTD_getFrameContentSize(chunk.data.data(), chunk.data.size());
  if (declared != static_cast<unsigned long long>(chunk.raw_bytes))
    return error("its size is not that of what was packed");
  std::string raw(static_cast<std::size_t>(chunk.raw_bytes), '\0');
  const std::size_t size = ZSTD_decompress(raw.data(), raw.size(), chunk.data.data(), chunk.data.size());
  if (ZSTD_isError(size) != 0U || size != raw.size()) return error("it cannot be unpacked");
  return raw;
}

}  // namespace moescope::record
