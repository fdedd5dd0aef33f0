#include "views/scene/png.h"

#include <algorithm>
#include <array>

#include "core/base/assert.h"

namespace moescope::views {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1U) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}

std::uint32_t crc32(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t c = 0xFFFFFFFFU;
  for (const char byte : bytes) c = kTable[(c ^ static_cast<unsigned char>(byte)) & 0xFFU] ^ (c >> 8);
  return c ^ 0xFFFFFFFFU;
}

std::uint32_t adler32(std::string_view bytes) {
  std::uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

void add_big_endian(std::string& bytes, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xFFU);
}

void add_chunk(std::string& file, const std::string& type, const std::string& data) {
  add_big_endian(file, static_cast<std::uint32_t>(data.size()));
  file += type + data;
  add_big_endian(file, crc32(type + data));
}

/// A zlib stream of stored blocks.
std::string stored(std::string_view bytes) {
  constexpr std::size_t kMostInBlock = 65535;
  std::string stream = "\x78\x01";
  for (std::size_t begin = 0; begin < bytes.size(); begin += kMostInBlock) {
    const std::size_t size = std::min(kMostInBlock, bytes.size() - begin);
    const bool last = begin + size == bytes.size();
    stream += static_cast<char>(last ? 1 : 0);
    for (const std::size_t length : {size, ~size})
      for (const int shift : {0, 8}) stream += static_cast<char>(length >> shift & 0xFFU);
    stream += bytes.substr(begin, size);
  }
  add_big_endian(stream, adler32(bytes));
  return stream;
}

}  // namespace

std::string png_of(int width, int height, std::span<const std::uint32_t> rgba) {
  const auto W = static_cast<std::size_t>(width), H = static_cast<std::size_t>(height);
  MOESCOPE_ASSERT(width >= 1 && height >= 1 && rgba.size() == W * H, "there is one word for each pixel");
  std::string rows;
  for (std::size_t y = 0; y < H; ++y) {
    rows += '\0';  // no filter
    for (const std::uint32_t pixel : rgba.subspan(y * W, W))
      for (const int shift : {0, 8, 16, 24}) rows += static_cast<char>(pixel >> shift & 0xFFU);
  }
  std::string header;
  add_big_endian(header, static_cast<std::uint32_t>(width));
  add_big_endian(header, static_cast<std::uint32_t>(height));
  header += std::string("\x08\x06\x00\x00\x00", 5);  // 8 bits, RGBA, deflate, filters by row, not interlaced
  std::string file = "\x89PNG\r\n\x1A\n";
  add_chunk(file, "IHDR", header);
  add_chunk(file, "IDAT", stored(rows));
  add_chunk(file, "IEND", {});
  return file;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63U] : '=';
  }
  return text;
}

}  // namespace moescope::views
