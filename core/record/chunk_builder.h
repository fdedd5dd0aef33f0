#pragma once
// The values of one stream gathered into chunks (run_schema.h). Private to this room. Threads: a plain value.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::record {

struct RawChunk {
  std::int64_t first_step = 0, last_step = 0;
  std::int64_t values = 0;
  std::string raw;
};

class ChunkBuilder {
 public:
  /// Steps never fall. False: the values of this step would no longer fit into one chunk, and nothing was added.
  bool add(std::int64_t step, std::string_view bytes);
  /// Ends the newest chunk, so that what follows begins another.
  void close();

  /// The chunks that add() has changed since the last call, oldest first: all but the last are complete.
  std::vector<RawChunk> take_changed();

 private:
  RawChunk open_;
  bool changed_ = false;
  std::vector<RawChunk> closed_;
};

/// Compressed for chunk.data, and its XXH64.
std::string chunk_data(const RawChunk& chunk);
std::int64_t chunk_hash(std::string_view data);

}  // namespace moescope::record
