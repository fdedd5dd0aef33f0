#pragma once
// JSON from outside, read within limits: nothing deep or large is ever turned into a tree. Only for sources (*.cpp)
// that already know nlohmann's JSON.
// Threads: pure functions.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::bus {

/// One JSON object of at most `most_bytes` and `most_depth` levels. `what` begins the messages: "this command".
Result<nlohmann::json> limited_json(std::string_view text, std::string_view what, std::size_t most_bytes,
                                    int most_depth);

/// The parts of one JSON object, taken one by one. The first problem is kept and told by finish(); what is asked of a
/// missing or wrong part is a harmless default.
class JsonParts {
 public:
  JsonParts(const nlohmann::json& object, std::string what) : object_(&object), what_(std::move(what)) {
    if (!object.is_object()) fail(" is no JSON object");
  }

  bool has(const char* key) const { return object_->is_object() && object_->contains(key); }
  std::string text(const char* key);
  bool flag(const char* key);
  std::int64_t integer(const char* key, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t most = std::numeric_limits<std::int64_t>::max());
  std::uint64_t counter(const char* key);
  /// null is NaN; "inf" and "-inf" are infinities.
  double number(const char* key);
  const nlohmann::json& array(const char* key);
  const nlohmann::json& any(const char* key);

  void fail(const std::string& problem) {
    if (problem_.empty()) problem_ = what_ + problem;
  }
  /// A part that nobody asked for is an error too: a newer version meant something by it.
  Status finish();

 private:
  const nlohmann::json& part(const char* key);
  const nlohmann::json* object_;
  std::string what_;
  std::string problem_;
  std::set<std::string> taken_;
};

/// As JsonParts::number() reads it.
nlohmann::ordered_json number_json(double value);

/// One line; bytes that are not UTF-8 become U+FFFD.
std::string json_line(const nlohmann::ordered_json& json);

}  // namespace moescope::bus
