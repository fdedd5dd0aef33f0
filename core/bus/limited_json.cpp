#include "core/bus/limited_json.h"

#include <cmath>

#include "core/base/text.h"

namespace moescope::bus {
namespace {

bool deeper_than(std::string_view text, int most_depth) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > most_depth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

const nlohmann::json& nothing() {
  static const nlohmann::json null;
  return null;
}

std::string quoted(const char* key) { return " \"" + std::string(key) + '"'; }

}  // namespace

Result<nlohmann::json> limited_json(std::string_view text, std::string_view what, std::size_t most_bytes,
                                    int most_depth) {
  const std::string subject(what);
  if (text.size() > most_bytes)
    return error(subject + " is larger than " + with_thousands(static_cast<long long>(most_bytes)) + " bytes");
  if (deeper_than(text, most_depth)) return error(subject + " is nested too deeply");
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return error(subject + " is no valid JSON");
  if (!json.is_object()) return error(subject + " is no JSON object");
  return json;
}

const nlohmann::json& JsonParts::part(const char* key) {
  taken_.insert(key);
  if (has(key)) return (*object_)[key];
  fail(" has no" + quoted(key));
  return nothing();
}

std::string JsonParts::text(const char* key) {
  const nlohmann::json& json = part(key);
  if (json.is_string()) return json.get<std::string>();
  fail(" has a" + quoted(key) + " that is no text");
  return {};
}

bool JsonParts::flag(const char* key) {
  const nlohmann::json& json = part(key);
  if (json.is_boolean()) return json.get<bool>();
  fail(" has a" + quoted(key) + " that is neither true nor false");
  return false;
}

std::int64_t JsonParts::integer(const char* key, std::int64_t least, std::int64_t most) {
  const nlohmann::json& json = part(key);
  const bool fits = json.is_number_integer() &&
                    (!json.is_number_unsigned() ||
                     json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  const std::int64_t value = fits ? json.get<std::int64_t>() : 0;
  if (fits && value >= least && value <= most) return value;
  fail(" has a" + quoted(key) + " that is no whole number in its range");
  return least > 0 ? least : 0;
}

std::uint64_t JsonParts::counter(const char* key) {
  const nlohmann::json& json = part(key);
  if (json.is_number_unsigned()) return json.get<std::uint64_t>();
  fail(" has a" + quoted(key) + " that is no whole number from 0 up");
  return 0;
}

double JsonParts::number(const char* key) {
  const nlohmann::json& json = part(key);
  if (json.is_number()) return json.get<double>();
  if (json.is_null() && has(key)) return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return std::numeric_limits<double>::infinity();
  if (json == "-inf") return -std::numeric_limits<double>::infinity();
  fail(" has a" + quoted(key) + " that is no number");
  return 0;
}

const nlohmann::json& JsonParts::array(const char* key) {
  static const nlohmann::json empty = nlohmann::json::array();
  const nlohmann::json& json = part(key);
  if (json.is_array()) return json;
  fail(" has a" + quoted(key) + " that is no list");
  return empty;
}

const nlohmann::json& JsonParts::any(const char* key) { return part(key); }

Status JsonParts::finish() {
  if (problem_.empty() && object_->is_object()) {
    for (const auto& [key, value] : object_->items())
      if (!taken_.contains(key)) fail(" has a part \"" + printable(key) + "\" that is not known here");
  }
  if (!problem_.empty()) return error(problem_);
  return Done{};
}

nlohmann::ordered_json number_json(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

std::string json_line(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace moescope::bus
