#include "core/base/diagnostic.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace moescope {
namespace {

std::string place_prefix(const Place& place) {
  if (place.file.empty()) return {};
  std::string text = place.file;
  if (place.line > 0) text += ':' + std::to_string(place.line) + ':' + std::to_string(std::max(place.column, 1));
  return text + ": ";
}

std::string excerpt(const Place& place) {
  if (place.line <= 0 || place.source_line.empty()) return {};
  const std::string number = std::to_string(place.line);
  const std::size_t gutter = std::max<std::size_t>(number.size(), 5);
  std::string text = std::string(gutter - number.size(), ' ') + number + " | " + place.source_line + '\n';
  text += std::string(gutter, ' ') + " | ";
  // Tabs are kept so that the caret stands under its character however wide a tab is shown.
  for (int i = 0; i + 1 < place.column && i < static_cast<int>(place.source_line.size()); ++i)
    text += place.source_line[static_cast<std::size_t>(i)] == '\t' ? '\t' : ' ';
  return text + "^\n";
}

}  // namespace

Diagnostic error(std::string message, std::string hint) {
  return {Severity::kError, {}, std::move(message), std::move(hint)};
}

Diagnostic warning(std::string message, std::string hint) {
  return {Severity::kWarning, {}, std::move(message), std::move(hint)};
}

std::string format(const Diagnostic& diagnostic) {
  std::string text = place_prefix(diagnostic.place);
  text += diagnostic.severity == Severity::kError ? "error: " : "warning: ";
  text += diagnostic.message + '\n' + excerpt(diagnostic.place);
  if (!diagnostic.hint.empty()) text += "hint: " + diagnostic.hint + '\n';
  return text;
}

std::string format(const Diagnostics& diagnostics) {
  Diagnostics sorted = diagnostics;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) < std::tie(b.place.file, b.place.line, b.place.column);
  });
  std::string text;
  for (const Diagnostic& diagnostic : sorted) text += format(diagnostic);
  return text;
}

std::string one_line(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& one : diagnostics) {
    if (one.severity != Severity::kError) continue;
    if (!text.empty()) text += "; ";
    if (!one.place.file.empty()) text += one.place.file + ": ";
    text += one.message;
    if (!one.hint.empty()) text += "; " + one.hint;
  }
  return text;
}

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
}

}  // namespace moescope
