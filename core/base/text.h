#pragma once
// Small text helpers shared by messages and readers. Threads: pure functions.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moescope {

/// Of `known`, the word nearest to `word` by edit distance (insert, delete, replace, swap), if near enough to be a
/// slip.
std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known);

/// Byte offset of the first invalid UTF-8 sequence, or nothing when all of `text` is valid (RFC 3629).
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// `text` with control characters and invalid UTF-8 escaped as \xNN, safe to show on one line.
std::string printable(std::string_view text);

/// "1,024"; thousands separated by commas.
std::string with_thousands(long long number);

/// The shortest decimal text that reads back as the same double: "0.3", "1e-04" is "0.0001".
std::string shortest(double number);

/// "a, b or c"
std::string join_or(const std::vector<std::string>& words);

}  // namespace moescope
