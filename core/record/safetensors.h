#pragma once
// The safetensors format (an 8-byte little-endian header length, a JSON header, raw bytes): named blocks with shape and
// type. Quiet: core/train turns tensors into blocks and back. Hostile files get a message, never more memory than the
// file. Our own carry a checksum of their data among the metadata, which other readers pass over.
// Threads: pure functions.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace moescope::record {

struct TensorBlock {
  std::string name;
  std::string dtype;  ///< "F32", "I64", "U8", …
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;
};

/// Writes to a temporary name, syncs, renames: the file is whole or absent.
Status write_safetensors(const std::string& path, const std::vector<TensorBlock>& blocks,
                         const std::map<std::string, std::string>& metadata);

struct SafetensorsFile {
  std::vector<TensorBlock> blocks;
  std::map<std::string, std::string> metadata;
};
/// Errors: not readable, no whole safetensors file (and why), data that differ from what was written, larger than
/// memory.
Result<SafetensorsFile> read_safetensors(const std::string& path);
/// Its metadata alone; the data are not looked at.
Result<std::map<std::string, std::string>> read_safetensors_metadata(const std::string& path);

/// A count in a file's metadata; nothing when it is not there, or no whole number of 0 or more.
std::optional<std::int64_t> number_in(const std::map<std::string, std::string>& metadata, const char* key);

}  // namespace moescope::record
