#include "app/workbench/child_protocol.h"

#include <algorithm>
#include <utility>

namespace moescope::app {
namespace {

constexpr std::string_view kMagic{"MoE\x01", 4};  // the last byte is the version

bool is_known(std::uint8_t kind) { return (kind >= 1 && kind <= 3) || (kind >= 16 && kind <= 21); }

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::string encode(MessageKind kind, std::string_view body) {
  MOESCOPE_ASSERT(body.size() <= kMostBody, "a message has at most 16 MiB");
  std::string bytes;
  bytes.reserve(kMessageHead + body.size());
  bytes += kMagic;
  const auto size = static_cast<std::uint32_t>(body.size());
  for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(size >> shift & 0xff);
  bytes += static_cast<char>(kind);
  bytes += body;
  return bytes;
}

void MessageReader::add(std::string_view bytes) {
  if (!problem_.empty()) return;
  if (begin_ > bytes_.size() / 2) {
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  bytes_ += bytes;
}

Result<std::optional<Message>> MessageReader::broken(std::string why) {
  problem_ = std::move(why);
  bytes_ = {};
  begin_ = 0;
  return error(problem_);
}

Result<std::optional<Message>> MessageReader::next() {
  if (!problem_.empty()) return error(problem_);
  const std::string_view rest = std::string_view(bytes_).substr(begin_);
  const std::size_t known = std::min(rest.size(), kMagic.size());
  constexpr std::size_t kName = 3;
  if (rest.substr(0, std::min(known, kName)) != kMagic.substr(0, std::min(known, kName)))
    return broken("something that is no message of a training process");
  if (known > kName && rest[kName] != kMagic[kName])
    return broken("messages of version " + std::to_string(static_cast<unsigned char>(rest[kName])) +
                  " instead of version " + std::to_string(static_cast<unsigned char>(kMagic[kName])));
  if (rest.size() < kMessageHead) return std::optional<Message>();
  const std::size_t size = read_u32(rest.substr(4));
  const auto kind = static_cast<std::uint8_t>(rest[8]);
  if (size > kMostBody) return broken("a message of " + std::to_string(size) + " bytes");
  if (!is_known(kind)) return broken("a message of unknown kind " + std::to_string(kind));
  if (rest.size() - kMessageHead < size) return std::optional<Message>();
  Message message{static_cast<MessageKind>(kind), std::string(rest.substr(kMessageHead, size))};
  begin_ += kMessageHead + size;
  return std::optional<Message>(std::move(message));
}

}  // namespace moescope::app
