#pragma once
// Compiled message catalogs for tests, as msgfmt writes them. Threads: pure function.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace moescope::corpus {

using MoTexts = std::vector<std::pair<std::string, std::string>>;

inline std::string mo_bytes(const MoTexts& texts, bool big_endian = false, std::uint32_t revision = 0) {
  const auto number = [&](std::size_t value) {
    std::string bytes;
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> 8 * (big_endian ? 3 - i : i) & 0xFF);
    return bytes;
  };
  const std::size_t count = texts.size(), tables = 28;
  std::string head = number(0x950412de) + number(revision) + number(count) + number(tables) +
                     number(tables + 8 * count) + number(0) + number(tables + 16 * count);
  std::string originals, translations, all;
  const auto add = [&](const std::string& text, std::string& table) {
    table += number(text.size()) + number(tables + 16 * count + all.size());
    all += text + '\0';
  };
  for (const auto& [original, translation] : texts) add(original, originals);
  for (const auto& [original, translation] : texts) add(translation, translations);
  return head + originals + translations + all;
}

inline std::pair<std::string, std::string> mo_header(const std::string& charset = "UTF-8") {
  return {"", "Language: xx\nContent-Type: text/plain; charset=" + charset + "\nPlural-Forms: n\n"};
}

}  // namespace moescope::corpus
