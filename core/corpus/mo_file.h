#pragma once
// Message catalogs as GNU gettext compiles them (.mo): original texts and their translations.
// Format: GNU gettext manual, "The Format of GNU MO Files". Threads: pure function.

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace moescope::corpus {

struct MoMessage {
  std::string_view original;     ///< without its context; of plural forms the singular
  std::string_view translation;  ///< of plural forms the first
};

struct MoFile {
  std::string charset;              ///< in capitals, as the header names it; empty without a header
  std::vector<MoMessage> messages;  ///< without the header; they point into the bytes read
};

/// Reads a catalog of either byte order. A damaged one is a message that says what is wrong, without a place. Texts put
/// together only on the machine that shows them (system-dependent formats) are left out.
Result<MoFile> read_mo(std::string_view bytes);

}  // namespace moescope::corpus
