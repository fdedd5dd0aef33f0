#include "views/scene/chips.h"

#include <string>

#include "core/base/text.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {

namespace {

std::string replaced(std::string text, std::string_view old, std::string_view wanted) {
  for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at + wanted.size()))
    text.replace(at, old.size(), wanted);
  return text;
}

/// Byte tokens come as printable() writes them.
std::string with_line_ends(std::string_view token) {
  std::string text(token);
  for (const char* end : {"\\x0D\\x0A", "\\x0A", "\\x0D", "\r\n", "\r"}) text = replaced(text, end, "\n");
  return replaced(text, "\\x09", "\t");
}

}  // namespace

std::string visible_token(std::string_view piece) {
  const std::string plain = with_line_ends(piece);
  std::string_view token = plain;
  if (token.size() > 1 && token[0] == ' ' && token[1] != ' ' && static_cast<unsigned char>(token[1]) > 32)
    token.remove_prefix(1);
  const bool blank = token.find_first_not_of(" \t\n") == std::string_view::npos;
  const std::string shown = with_signs(token);
  if (shown.empty()) return "∅";
  return blank ? replaced(shown, " ", "·") : shown;
}

std::string with_signs(std::string_view text) {
  return printable(replaced(replaced(with_line_ends(text), "\n", "↵"), "\t", "⇥"));
}

float chip_width(std::string_view text, float size) { return text_width(text, size) + 2 * kChipPad; }

Rect add_chip(Scene& scene, Vec2 at, const std::string& text, float size, Color ground, Color ink) {
  const Rect rect{at.x, at.y, chip_width(text, size), kChipHeight};
  scene.add(Box{rect, ground, {0, 0, 0, 0}, 3});
  scene.add(Text{{rect.x + kChipPad, rect.y + (kChipHeight - line_height(size)) / 2}, text, ink, size});
  return rect;
}

}  // namespace moescope::views
