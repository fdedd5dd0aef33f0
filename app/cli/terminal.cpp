#include "app/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace moescope::cli {
namespace {

/// The first `columns` characters of UTF-8 text; ours has no wide ones.
std::string clipped(const std::string& text, int columns) {
  int seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_character && seen++ == columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

int terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

StatusLine::StatusLine() : visible_(is_terminal(STDERR_FILENO)) {}
StatusLine::~StatusLine() { clear(); }

void StatusLine::show(const std::string& text) {
  if (!visible_ || text == shown_) return;
  std::fprintf(stderr, "\r\x1b[K%s", clipped(text, terminal_columns() - 1).c_str());
  std::fflush(stderr);
  shown_ = text;
}

void StatusLine::say(const std::string& text) {
  const std::string below = shown_;
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
  if (!below.empty()) show(below);
}

void StatusLine::clear() {
  if (shown_.empty()) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_.clear();
}

std::string bar(double fraction, int cells) {
  const int full = static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * cells));
  std::string text = "[";
  for (int i = 0; i < cells; ++i) text += i < full ? "█" : "░";
  return text + ']';
}

std::string duration_text(double seconds) {
  const long whole = std::lround(std::max(0.0, seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

}  // namespace moescope::cli
