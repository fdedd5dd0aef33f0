#pragma once
// Content hashes: XXH3, for identity and for noticing damage, never for security.
// Threads: a Hasher has one owner; hash64() is pure.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace moescope::corpus {

/// 128 bits over a sequence of texts. The texts are framed by their lengths, so "ab","c" differs from "a","bc".
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(std::string_view text);
  Hasher& add(std::uint64_t number);
  /// 32 hexadecimal digits.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hash_hex(std::string_view text);
std::uint64_t hash64(std::string_view text);

}  // namespace moescope::corpus
