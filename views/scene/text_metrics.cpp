#include "views/scene/text_metrics.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace moescope::views {
namespace {

// Advance widths of the characters 32 to 126 in thousandths of the em.
using Widths = std::array<std::uint16_t, 95>;

constexpr Widths kInterRegular = {
    281, 278, 403, 631, 638, 812, 639, 222, 362, 362, 500, 659, 280, 460, 276, 357, 625, 464, 605,  // space to 2
    636, 642, 608, 624, 571, 616, 624, 276, 280, 659, 659, 659, 507, 936, 676, 651, 727, 719, 598,  // 3 to E
    587, 743, 740, 264, 543, 652, 562, 889, 753, 761, 635, 761, 639, 638, 642, 741, 676, 949, 642,  // F to X
    665, 625, 362, 357, 362, 469, 452, 497, 564, 621, 558, 621, 582, 361, 609, 591, 237, 237, 544,  // Y to k
    237, 869, 585, 597, 609, 609, 372, 523, 364, 581, 557, 812, 540, 557, 541, 362, 327, 362, 659};

constexpr Widths kInterSemiBold = {
    248, 309, 396, 643, 649, 844, 663, 213, 393, 393, 543, 673, 295, 466, 290, 379, 667, 481,  621,  //
    652, 666, 632, 648, 587, 646, 648, 290, 295, 673, 673, 673, 544, 999, 724, 657, 744, 724,  608,  //
    586, 755, 744, 275, 561, 677, 566, 906, 741, 775, 643, 776, 651, 649, 660, 734, 724, 1007, 690,  //
    705, 653, 393, 379, 393, 481, 468, 497, 575, 630, 577, 630, 593, 377, 625, 613, 261, 261,  569,  //
    261, 898, 610, 608, 625, 625, 397, 549, 380, 608, 576, 837, 562, 576, 562, 393, 358, 393,  673};

constexpr float kMonoWidth = 600;

// One code point from the front of `text`, which becomes shorter. A broken sequence gives one byte at a time.
std::uint32_t take_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  if (first >= 0x80 && (first < 0xC0 || text.size() < length)) {
    text.remove_prefix(1);
    return 0xFFFD;
  }
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  text.remove_prefix(length);
  return code;
}

// Punctuation the lab writes itself, then whole blocks.
float width_beyond_ascii(std::uint32_t code) {
  switch (code) {
    case 0x00B7: return 290;  // ·
    case 0x2019: return 214;  // ’
    case 0x201C:
    case 0x201D: return 408;  // “ ”
    case 0x2013: return 500;  // –
    case 0x2026: return 821;  // …
    case 0x00A0: return 281;
    case 0x2009: return 200;
    default: break;
  }
  if (code >= 0x0300 && code < 0x0370) return 0;  // combining marks
  if (code < 0x0250) return 660;
  if (code < 0x2000) return 760;
  return 1000;  // arrows, signs, East Asian scripts
}

float width_of(std::uint32_t code, Text::Font font) {
  if (font == Text::Font::kMono) return code < 0x2E80 ? kMonoWidth : 2 * kMonoWidth;
  if (code < 32) return 0;
  if (code > 126) return width_beyond_ascii(code);
  return font == Text::Font::kStrong ? kInterSemiBold[code - 32] : kInterRegular[code - 32];
}

}  // namespace

float text_width(std::string_view text, float size, Text::Font font) {
  float thousandths = 0;
  while (!text.empty()) thousandths += width_of(take_code_point(text), font);
  return thousandths / 1000 * size;
}

float line_height(float size, Text::Font font) { return size * (font == Text::Font::kMono ? 1.32F : 1.21F); }

std::string elided(std::string_view text, float size, float width, Text::Font font) {
  if (text_width(text, size, font) <= width) return std::string(text);
  float room = width - text_width("…", size, font);
  std::string_view rest = text;
  std::size_t kept = 0;
  while (!rest.empty()) {
    room -= width_of(take_code_point(rest), font) / 1000 * size;
    if (room < 0) break;
    kept = text.size() - rest.size();
  }
  while (kept > 0 && text[kept - 1] == ' ') --kept;
  return kept == 0 ? std::string() : std::string(text.substr(0, kept)) + "…";
}

Rect text_box(const Text& text) {
  const float width = text_width(text.text, text.size, text.font);
  const float height = line_height(text.size, text.font);
  const float before = text.align == Text::Align::kLeft ? 0 : text.align == Text::Align::kCenter ? width / 2 : width;
  // Turned by −90° the line runs upwards and its top edge becomes its left edge.
  if (text.rotation_degrees != 0) return {text.position.x, text.position.y + before - width, height, width};
  return {text.position.x - before, text.position.y, width, height};
}

bool overlap(const Rect& a, const Rect& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

}  // namespace moescope::views
