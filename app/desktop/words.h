#pragma once
// What comes from below as text, made fit to be read in a window. Threads: pure functions.

#include <QString>

#include "core/base/diagnostic.h"

namespace moescope::app {

/// What a dialog says, where a terminal would be given format().
struct Message {
  QString text;  ///< one sentence for each, with the file's name and its line
  QString more;  ///< remedies, and where the files are
};
Message message_of(const Diagnostics& diagnostics);

}  // namespace moescope::app
