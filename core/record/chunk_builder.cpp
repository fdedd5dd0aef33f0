#include "core/record/chunk_builder.h"

#include <xxhash.h>
#include <zstd.h>

#include <bit>
#include <utility>

#include "core/base/assert.h"
#include "core/record/run_schema.h"

namespace moescope::record {

bool ChunkBuilder::add(std::int64_t step, std::string_view bytes) {
  MOESCOPE_ASSERT(open_.values == 0 || step >= open_.last_step, "steps of a stream never fall");
  const auto raw = static_cast<std::int64_t>(open_.raw.size()), more = static_cast<std::int64_t>(bytes.size());
  const bool full = open_.values >= kChunkValues || raw >= kChunkBytes || raw + more > kMostChunkBytes;
  if (open_.values > 0 && full && step != open_.last_step) close();
  if (static_cast<std::int64_t>(open_.raw.size()) + more > kMostChunkBytes) return false;
  if (open_.values == 0) open_.first_step = step;
  open_.last_step = step;
  ++open_.values;
  open_.raw += bytes;
  changed_ = true;
  return true;
}

void ChunkBuilder::close() {
  if (open_.values == 0) return;
  if (changed_) closed_.push_back(std::move(open_));
  open_ = {};
  changed_ = false;
}

std::vector<RawChunk> ChunkBuilder::take_changed() {
  std::vector<RawChunk> changed = std::exchange(closed_, {});
  if (changed_) changed.push_back(open_);
  changed_ = false;
  return changed;
}

std::string chunk_data(const RawChunk& chunk) {
  constexpr int kLevel = 3;
  std::string data(ZSTD_compressBound(chunk.raw.size()), '\0');
  const std::size_t size = ZSTD_compress(data.data(), data.size(), chunk.raw.data(), chunk.raw.size(), kLevel);
  MOESCOPE_ASSERT(ZSTD_isError(size) == 0U, "the room is what zstd asked for");
  data.resize(size);
  return data;
}

std::int64_t chunk_hash(std::string_view data) {
  return std::bit_cast<std::int64_t>(XXH64(data.data(), data.size(), 0));
}

}  // namespace moescope::record
