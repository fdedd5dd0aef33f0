#pragma once
// Pixels as a PNG file, uncompressed: for heat maps inside an SVG, which are small. No library.
// Source: PNG, third edition (W3C 2025); zlib and deflate, RFC 1950 and 1951. Threads: pure functions.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace moescope::views {

/// RGBA8 rows from the top, each pixel 0xAABBGGRR as in Picture. Requires: rgba.size() = width · height, both ≥ 1.
std::string png_of(int width, int height, std::span<const std::uint32_t> rgba);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

}  // namespace moescope::views
