#pragma once
// One line that is rewritten in place. Threads: one owner.

#include <string>

namespace moescope::cli {

bool is_terminal(int descriptor);
/// Columns of the terminal on stderr; 80 when unknown.
int terminal_columns();

/// The line at the bottom of a terminal; nothing anywhere else. Clears itself when it goes.
class StatusLine {
 public:
  StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  ~StatusLine();

  bool visible() const { return visible_; }
  void show(const std::string& text);
  /// A line that stays, above the status line; printed on stderr with or without a terminal.
  void say(const std::string& text);

 private:
  void clear();
  bool visible_;
  std::string shown_;
};

/// "[█████░░░░░]" with `cells` cells.
std::string bar(double fraction, int cells);

/// "42 s", "3 min 20 s", "2 h 5 min"
std::string duration_text(double seconds);

}  // namespace moescope::cli
