#pragma once
// TOML text as a flat list of what it sets, each with its place. This is toml++ behind a wall: its parser aborts on
// some malformed input, here every input gives a document or messages with line and column.
// Not here: what the keys mean (run_config.h).
// Threads: pure functions.

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/value.h"

namespace moescope::config {

struct TomlEntry {
  std::string key;             ///< full dotted name; a part that is no bare key stands in quotes
  std::optional<Value> value;  ///< nothing for a type no field has
  std::string other_type;      ///< that type in words: "an array", "a date"
  Place key_place;
  Place value_place;
};

struct TomlTable {
  std::string name;  ///< full dotted name
  Place place;
};

struct TomlDocument {
  std::vector<TomlEntry> entries;  ///< sorted by place
  std::vector<TomlTable> tables;   ///< sorted by place; without the top level
};

inline constexpr std::size_t kMaxTomlBytes = 256 * 1024;
inline constexpr std::size_t kMaxTomlLineBytes = 1024;
inline constexpr int kMaxTomlDepth = 8;

/// Refuses more than kMaxTomlBytes, lines longer than kMaxTomlLineBytes, control characters, text that is not UTF-8
/// and tables nested deeper than kMaxTomlDepth, each with its place.
Result<TomlDocument> parse_toml(const std::string& text, const std::string& file_name);

}  // namespace moescope::config
