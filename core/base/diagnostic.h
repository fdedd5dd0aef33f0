#pragma once
// What is told to a user whose input is wrong: a sentence, the place it is about, and at most one hint.
// Threads: plain values, free to move between threads.

#include <string>
#include <vector>

namespace moescope {

/// A place in a text the user wrote. Line and column count from 1; 0 means "the file as a whole".
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  std::string source_line;  ///< the text of that line, shown above the caret
};

enum class Severity { kError, kWarning };

struct Diagnostic {
  Severity severity = Severity::kError;
  Place place;
  std::string message;  ///< without "error:" and without a full stop
  std::string hint;     ///< the remedy; empty when the message says it all
};

using Diagnostics = std::vector<Diagnostic>;

/// An error about no particular place in a file.
Diagnostic error(std::string message, std::string hint = {});
Diagnostic warning(std::string message, std::string hint = {});

/// `file:line:column: error: message`, then the source line with a caret, then `hint: …`; ends with a newline.
std::string format(const Diagnostic& diagnostic);

/// All of them, sorted by place, as one text.
std::string format(const Diagnostics& diagnostics);

/// The errors on one line: "file: message; hint", joined by "; ".
std::string one_line(const Diagnostics& diagnostics);

bool has_errors(const Diagnostics& diagnostics);

}  // namespace moescope
