#pragma once
// What became of a command. Threads: plain values.

#include <optional>
#include <string>
#include <utility>

#include "core/config/value.h"

namespace moescope::train {

struct Outcome {
  bool done = false;
  std::string text;                        ///< done: what changed; refused: why
  std::optional<config::Value> old_value;  ///< of a changed setting
};

inline Outcome accepted(std::string text) { return {true, std::move(text), std::nullopt}; }
inline Outcome refused(std::string why) { return {false, std::move(why), std::nullopt}; }

}  // namespace moescope::train
