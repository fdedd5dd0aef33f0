#pragma once
// Small files of the cache: one header line with kind, size and hash, then the bytes. A file is whole or it is not
// there (temporary name, then rename), and damage on the disk is noticed when it is read.
// Threads: functions on distinct paths may run at once; two writers of one path leave one whole file.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::corpus {

/// Replaces `path` by `bytes`; makes its folder. Requires: `kind` is one word.
Status write_sealed(const std::string& path, std::string_view kind, std::string_view bytes);

/// The bytes, or why not: missing, too large, of another kind, cut short, changed.
Result<std::string> read_sealed(const std::string& path, std::string_view kind, std::uint64_t max_bytes);

/// Plain numbers and texts one after the other, in the byte order of this machine: a cache never travels.
class ByteWriter {
 public:
  void number(std::int64_t value);
  void text(std::string_view value);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote. After the first failure every answer is 0 or empty and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  std::int64_t number();
  std::string_view text();
  /// A count of things that take at least `least_bytes` each, so that damage cannot ask for more memory than the file.
  std::size_t count(std::size_t least_bytes);
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace moescope::corpus
