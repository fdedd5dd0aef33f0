#include "core/config/field.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace moescope::config {
namespace {

// Longer texts would not fit, escaped and with their help, on a line the reader accepts.
constexpr std::size_t kMaxTextBytes = 800;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04X", byte);
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return out + '"';
}

// A TOML float needs a point, an exponent or a name, or it would be read as an integer.
std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::string text = shortest(number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

bool has_type(ValueType type, const Value& value) {
  switch (type) {
    case ValueType::kBool: return std::holds_alternative<bool>(value);
    case ValueType::kInteger: return std::holds_alternative<std::int64_t>(value);
    case ValueType::kNumber:
      return std::holds_alternative<double>(value) || std::holds_alternative<std::int64_t>(value);
    case ValueType::kText: return std::holds_alternative<std::string>(value);
  }
  return false;
}

double as_number(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return std::get<double>(value);
}

std::string bound_text(double bound) {
  constexpr double kExact = 9007199254740992.0;  // beyond 2^53 a double no longer counts
  if (bound == std::floor(bound) && std::abs(bound) <= kExact) return with_thousands(static_cast<long long>(bound));
  return shortest(bound);
}

std::string check_number(const FieldSpec& spec, const Value& value) {
  const double number = as_number(value);
  const std::string subject = '\'' + spec.key + "' is " + to_text(value);
  if (!std::isfinite(number)) return subject + ", but must be finite";
  const bool low = number < spec.minimum || (spec.minimum_excluded && number == spec.minimum);
  if (low || number > spec.maximum) return subject + ", allowed is " + range_text(spec);
  return {};
}

std::string check_text(const FieldSpec& spec, const std::string& text) {
  const std::string subject = '\'' + spec.key + "' ";
  if (!spec.choices.empty() && std::find(spec.choices.begin(), spec.choices.end(), text) == spec.choices.end())
    return subject + "is " + to_text(text) + ", allowed is " + join_or(spec.choices);
  if (first_invalid_utf8(text)) return subject + "is not valid UTF-8";
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return subject + "contains a control character";
  if (quoted(text).size() > kMaxTextBytes)
    return subject + "is too long, at most " + std::to_string(kMaxTextBytes) + " bytes are allowed";
  return {};
}

}  // namespace

std::string to_text(const Value& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&value)) return number_text(*number);
  return quoted(std::get<std::string>(value));
}

std::string type_in_words(ValueType type) {
  switch (type) {
    case ValueType::kBool: return "true or false";
    case ValueType::kInteger: return "a whole number";
    case ValueType::kNumber: return "a number";
    case ValueType::kText: return "a text in quotes";
  }
  return {};
}

std::string range_text(const FieldSpec& spec) {
  if (spec.type == ValueType::kText) return join_or(spec.choices);
  if (spec.type == ValueType::kBool) return "true or false";
  // The limits of a 32-bit member are no limits anyone chose.
  const bool has_low = spec.minimum > std::numeric_limits<std::int32_t>::min();
  const bool has_high = spec.maximum < std::numeric_limits<std::int32_t>::max();
  const std::string low = bound_text(spec.minimum);
  const std::string high = bound_text(spec.maximum);
  if (has_low && has_high)
    return spec.minimum_excluded ? "more than " + low + ", at most " + high : low + " to " + high;
  if (has_low) return spec.minimum_excluded ? "more than " + low : low + " or more";
  if (has_high) return "at most " + high;
  return {};
}

std::string check_value(const FieldSpec& spec, const Value& value) {
  if (!has_type(spec.type, value))
    return '\'' + spec.key + "' is " + to_text(value) + ", but must be " + type_in_words(spec.type);
  if (spec.type == ValueType::kBool) return {};
  if (spec.type == ValueType::kText) return check_text(spec, std::get<std::string>(value));
  return check_number(spec, value);
}

Value coerce(const FieldSpec& spec, const Value& value) {
  MOESCOPE_ASSERT(has_type(spec.type, value), "only checked values are coerced");
  if (spec.type == ValueType::kNumber) return as_number(value);
  return value;
}

}  // namespace moescope::config
