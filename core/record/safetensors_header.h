#pragma once
// The JSON header of a safetensors file, read as it streams by so that a hostile one costs no more memory than itself.
// Threads: pure functions.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace moescope::record {

struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< bytes [begin, end) of the data part
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;  ///< sorted by begin
  std::map<std::string, std::string> metadata;
};

/// Bytes of one element; 0 for a type the format does not know.
std::size_t dtype_bytes(std::string_view dtype);

/// Product of `shape` times the element size; nothing below zero, nothing beyond 2^63. Returns false when there is no
/// such number.
bool block_bytes(std::string_view dtype, const std::vector<std::int64_t>& shape, std::uint64_t& bytes);

/// Checks everything: types, sizes, and that the blocks cover the `data_bytes` of the file exactly once.
Result<SafetensorsHeader> parse_header(std::string_view json, std::uint64_t data_bytes);

}  // namespace moescope::record
