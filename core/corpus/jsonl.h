#pragma once
// JSON Lines: one object a line, with the document in its field "text".
// Threads: pure function.

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace moescope::corpus {

struct JsonlDocument {
  int line = 0;  ///< counts from 1
  std::string text;
};

/// Blank lines are skipped. Every wrong line is reported, up to ten.
Result<std::vector<JsonlDocument>> read_jsonl(std::string_view content, const std::string& path);

}  // namespace moescope::corpus
