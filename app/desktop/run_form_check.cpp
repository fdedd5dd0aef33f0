#include "app/desktop/run_form_check.h"

#include <algorithm>
#include <vector>

namespace moescope::app {
namespace {

/// The same values as lines of a file, one key a line, so that a message's line says which field it is about.
struct Lines {
  std::string text;
  std::vector<std::string> key_of_line;
};

Lines as_lines(const std::map<std::string, config::Value>& values) {
  Lines lines;
  lines.key_of_line.push_back({});  // lines count from 1
  for (const auto& [key, value] : values) {
    lines.text += key + " = " + config::to_text(value) + '\n';
    lines.key_of_line.push_back(key);
  }
  return lines;
}

std::string key_at(const Lines& lines, const Place& place) {
  const auto line = static_cast<std::size_t>(std::max(place.line, 0));
  return line < lines.key_of_line.size() ? lines.key_of_line[line] : std::string();
}

void sort_in(FormCheck& check, const std::string& key, const Diagnostic& diagnostic) {
  if (key.empty()) {
    check.elsewhere.push_back(diagnostic);
  } else {
    check.errors.emplace(key, diagnostic);
  }
}

}  // namespace

FormCheck check_form(const std::map<std::string, config::Value>& values, const Methods& methods) {
  FormCheck check;
  const Lines lines = as_lines(values);
  const auto placed = config::read_run_config(lines.text, {}, methods.catalogue);
  const auto plain = config::run_config_from(values, methods.catalogue);
  if (!plain) {
    // The words come from the reading without places: "is 8" says more in a form than "is set on line 6".
    for (const Diagnostic& diagnostic : plain.error()) {
      std::string key;
      if (!placed)
        for (const Diagnostic& other : placed.error())
          if (other.message == diagnostic.message) key = key_at(lines, other.place);
      sort_in(check, key, diagnostic);
    }
    return check;
  }
  const Diagnostics found = methods.check && placed ? methods.check(*placed) : Diagnostics{};
  for (const Diagnostic& diagnostic : found) sort_in(check, key_at(lines, diagnostic.place), diagnostic);
  if (!has_errors(found)) check.config = *plain;
  return check;
}

}  // namespace moescope::app
