#include "views/scene/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/base/text.h"

namespace moescope::views {
namespace {

// "-1.50" → "−1.5": a hyphen is not a minus, and trailing zeros say nothing unless values are to be compared.
std::string tidy(std::string text, bool keep_zeros = false) {
  if (!keep_zeros && text.find('.') != std::string::npos) {
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  if (text == "-0") return "0";
  return text.front() == '-' ? "−" + text.substr(1) : text;
}

std::string significant(double value, int digits, bool keep_zeros = false) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  const double size = std::fabs(value);
  char text[64];
  if (size >= 1e15 || (size > 0 && size < 1e-5)) {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
    return tidy(text);
  }
  const int before = size < 1 ? (size > 0 ? static_cast<int>(std::floor(std::log10(size))) + 1 : 1)
                              : static_cast<int>(std::floor(std::log10(size))) + 1;
  const int decimals = digits - before;
  if (decimals > 0) {
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    const std::string plain = text;
    const std::size_t point = plain.find('.');
    return tidy(size < 1000 ? plain : with_thousands(std::stoll(plain.substr(0, point))) + plain.substr(point),
                keep_zeros);
  }
  const double unit = std::pow(10.0, std::max(0, -decimals));
  const long long whole = std::llround(value / unit) * std::llround(unit);
  return tidy(with_thousands(whole));
}

constexpr std::size_t kMostDigits = 6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A number that follows or is followed by one of these is part of a word, a path or a version.
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_joint(char c) { return c == '/' || c == '\\'; }

std::size_t behind_digits(const std::string& text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// Behind the fraction that begins at `at`, with its exponent; `at` where none does.
std::size_t behind_fraction(const std::string& text, std::size_t at) {
  const auto next_is = [&](std::size_t place, auto&& what) { return place < text.size() && what(text[place]); };
  std::size_t before = at;
  if (before > 0 && text[before - 1] == '-') --before;
  if (before > 0) {
    const char c = text[before - 1];
    if (is_word(c) || is_joint(c) || c == '.' || c == '-') return at;
  }
  const std::size_t point = behind_digits(text, at);
  if (point == at || point + 1 >= text.size() || text[point] != '.' || !is_digit(text[point + 1])) return at;
  std::size_t end = behind_digits(text, point + 1);
  if (next_is(end, [](char c) { return c == 'e'; })) {
    const std::size_t sign = end + 1;
    const std::size_t first = next_is(sign, [](char c) { return c == '-' || c == '+'; }) ? sign + 1 : sign;
    if (behind_digits(text, first) > first) end = behind_digits(text, first);
  }
  const bool goes_on = next_is(end, is_word) || next_is(end, is_joint) ||
                       (next_is(end, [](char c) { return c == '.'; }) && next_is(end + 1, is_word));
  return goes_on ? at : end;
}

/// "0.0025" has two.
std::size_t significant_digits(const std::string& number) {
  std::size_t digits = 0;
  for (const char c : number) {
    if (c == 'e') break;
    if (is_digit(c) && (digits > 0 || c != '0')) ++digits;
  }
  return digits;
}

std::string shorter(const std::string& number) {
  if (significant_digits(number) <= kMostDigits) return number;
  char text[32];
  std::snprintf(text, sizeof text, "%.*g", static_cast<int>(kMostDigits), std::strtod(number.c_str(), nullptr));
  return text;
}

}  // namespace

std::string with_short_numbers(const std::string& text) {
  std::string made;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = is_digit(text[at]) ? behind_fraction(text, at) : at;
    if (end > at) {
      made += shorter(text.substr(at, end - at));
    } else {
      made += text[at];
    }
    at = std::max(end, at + 1);
  }
  return made;
}

std::string figure(double value) { return significant(value, 3); }

std::string figure_with_zeros(double value) { return significant(value, 3, true); }

std::string exact(double value) { return significant(value, 6); }

std::string signed_exact(double value) { return (value > 0 ? "+" : "") + exact(value); }

std::string signed_figure(double value) { return (value > 0 ? "+" : "") + figure(value); }

std::string percent(double share) {
  if (std::isnan(share)) return "–";
  const double value = 100 * share;
  if (value == 0) return "0 %";
  if (value > 0 && value < 0.095) return "<0.1 %";
  char text[32];
  std::snprintf(text, sizeof text, std::fabs(value) < 9.95 ? "%.1f" : "%.0f", value);
  return tidy(text) + " %";
}

std::string step_text(std::int64_t step) { return "step " + with_thousands(step); }

}  // namespace moescope::views
