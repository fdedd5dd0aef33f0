#pragma once
// Values as they stand in a configuration file, on a command line or in a live command. Plain values.

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "core/base/diagnostic.h"

namespace moescope::config {

using Value = std::variant<bool, std::int64_t, double, std::string>;

/// As TOML writes it: true, 8, 0.3, "manuals".
std::string to_text(const Value& value);

/// A value together with where the user wrote it (an empty Place: it is a default).
struct PlacedValue {
  Value value;
  Place place;
};

/// Every key a text sets, by its full dotted name ("moe.router.top_k").
using Settings = std::map<std::string, PlacedValue>;

}  // namespace moescope::config
