#include "views/scene/chips.h"

#include <string>
#include <utility>

#include "core/base/text.h"
#include "views/scene/text_metrics.h"

namespace moescope::views {

namespace {

/// Byte tokens come as printable() writes them.
std::string with_line_ends(std::string_view token) {
  std::string text(token);
  for (const auto& [escaped, plain] :
       {std::pair("\\x0D\\x0A", '\n'), {"\\x0A", '\n'}, {"\\x0D", '\n'}, {"\\x09", '\t'}})
    for (std::size_t at = text.find(escaped); at != std::string::npos; at = text.find(escaped, at))
      text.replace(at, std::string_view(escaped).size(), 1, plain);
  return text;
}

}  // namespace

std::string visible_token(std::string_view piece) {
  const std::string plain = with_line_ends(piece);
  std::string_view token = plain;
  if (token.size() > 1 && token[0] == ' ' && token[1] != ' ' && static_cast<unsigned char>(token[1]) > 32)
    token.remove_prefix(1);
  const bool blank = token.find_first_not_of(" \t\n\r") == std::string_view::npos;
  std::string shown;
  for (const char c : token) {
    if (c == '\n')
      shown += "↵";
    else if (c == '\t')
      shown += "⇥";
    else if (c == ' ' && blank)
      shown += "·";
    else
      shown += c;
  }
  // Half a character (byte tokens cut through UTF-8) is shown by its number.
  return shown.empty() ? "∅" : printable(shown);
}

float chip_width(std::string_view text, float size) { return text_width(text, size) + 2 * kChipPad; }

Rect add_chip(Scene& scene, Vec2 at, const std::string& text, float size, Color ground, Color ink) {
  const Rect rect{at.x, at.y, chip_width(text, size), kChipHeight};
  scene.add(Box{rect, ground, {0, 0, 0, 0}, 3});
  scene.add(Text{{rect.x + kChipPad, rect.y + (kChipHeight - line_height(size)) / 2}, text, ink, size});
  return rect;
}

}  // namespace moescope::views
