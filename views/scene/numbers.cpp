#include "views/scene/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

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

}  // namespace

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
