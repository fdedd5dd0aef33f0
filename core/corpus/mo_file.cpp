#include "core/corpus/mo_file.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "core/base/text.h"

namespace moescope::corpus {
namespace {

constexpr std::uint64_t kHeaderBytes = 28, kEntryBytes = 8;
constexpr std::uint32_t kMagic = 0x950412de, kSwappedMagic = 0xde120495;
constexpr char kContextEnd = '\x04', kFormEnd = '\0';

Diagnostic damaged(const std::string& why) { return error("is no message catalog: " + why); }

/// Numbers and texts at places the file itself names, which may be anything.
class MoReader {
 public:
  explicit MoReader(std::string_view bytes) : bytes_(bytes) {}

  /// Requires: 4 bytes at `offset`.
  std::uint32_t number(std::uint64_t offset) const {
    std::uint32_t value = 0;
    for (std::uint64_t i = 0; i < 4; ++i) {
      const auto byte = static_cast<unsigned char>(bytes_[offset + (big_endian_ ? i : 3 - i)]);
      value = value << 8 | byte;
    }
    return value;
  }

  bool find_byte_order() {
    big_endian_ = number(0) == kSwappedMagic;
    return number(0) == kMagic;
  }

  bool has(std::uint64_t offset, std::uint64_t count) const {
    return offset <= bytes_.size() && count <= bytes_.size() - offset;
  }

  /// The text that entry `index` of the table at `table` names; false when any of it lies outside.
  bool text(std::uint64_t table, std::uint64_t index, std::string_view& found) const {
    const std::uint64_t entry = table + index * kEntryBytes;
    const std::uint64_t length = number(entry), offset = number(entry + 4);
    if (!has(offset, length + 1) || bytes_[offset + length] != '\0') return false;
    found = bytes_.substr(offset, length);
    return true;
  }

 private:
  std::string_view bytes_;
  bool big_endian_ = false;
};

std::string charset_of(std::string_view header) {
  constexpr std::string_view kKey = "charset=";
  const std::size_t key = header.find(kKey);
  if (key == std::string_view::npos) return {};
  const std::string_view rest = header.substr(key + kKey.size());
  std::string charset(rest.substr(0, rest.find_first_of(" \t\r\n;")));
  std::transform(charset.begin(), charset.end(), charset.begin(),
                 [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); });
  return charset;
}

std::string_view first_form(std::string_view text) { return text.substr(0, text.find(kFormEnd)); }

}  // namespace

Result<MoFile> read_mo(std::string_view bytes) {
  MoReader reader(bytes);
  if (!reader.has(0, kHeaderBytes))
    return damaged("it ends within its first " + std::to_string(kHeaderBytes) + " bytes");
  if (!reader.find_byte_order()) return damaged("it does not begin as one");
  const std::uint32_t revision = reader.number(4) >> 16;
  if (revision > 1) return damaged("its format has the unknown revision " + std::to_string(revision));
  const std::uint64_t count = reader.number(8), originals = reader.number(12), translations = reader.number(16);
  if (!reader.has(originals, count * kEntryBytes) || !reader.has(translations, count * kEntryBytes))
    return damaged("its tables of " + with_thousands(static_cast<long long>(count)) + " texts lie outside the file");
  MoFile file;
  for (std::uint64_t i = 0; i < count; ++i) {
    MoMessage message;
    if (!reader.text(originals, i, message.original) || !reader.text(translations, i, message.translation))
      return damaged("text " + with_thousands(static_cast<long long>(i) + 1) + " lies outside the file");
    if (message.original.empty()) {
      file.charset = charset_of(message.translation);
      continue;
    }
    const std::size_t context = message.original.find(kContextEnd);
    if (context != std::string_view::npos) message.original.remove_prefix(context + 1);
    file.messages.push_back({first_form(message.original), first_form(message.translation)});
  }
  return file;
}

}  // namespace moescope::corpus
