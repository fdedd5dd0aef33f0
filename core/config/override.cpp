#include "core/config/override.h"

#include <algorithm>

#include "core/base/text.h"

namespace moescope::config {
namespace {

std::string trimmed(std::string text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_blank));
  text.erase(std::find_if_not(text.rbegin(), text.rend(), is_blank).base(), text.end());
  return text;
}

}  // namespace

Result<Override> parse_override(const std::string& text) {
  const Place place{"--set " + printable(text), 0, 0, {}};
  const auto problem = [&](std::string message) {
    return Diagnostic{Severity::kError, place, std::move(message), "write --set key=value, like --set train.lr=0.002"};
  };
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return problem("there is no '='");
  Override made;
  made.entry.key = trimmed(text.substr(0, equals));
  made.bare = trimmed(text.substr(equals + 1));
  made.entry.key_place = made.entry.value_place = place;
  if (made.entry.key.empty()) return problem("there is no key before '='");
  if (made.bare.empty()) return problem("there is no value after '='");

  // A line break in the value could smuggle in a second key.
  const bool one_line = made.bare.find('\n') == std::string::npos;
  const auto document = one_line ? parse_toml("x = " + made.bare, {}) : Result<TomlDocument>(problem({}));
  if (document && document->entries.size() == 1 && document->entries[0].key == "x") {
    made.entry.value = document->entries[0].value;
    made.entry.other_type = document->entries[0].other_type;
  } else {
    made.entry.value = made.bare;
  }
  return made;
}

}  // namespace moescope::config
