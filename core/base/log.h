#pragma once
// The log of the programs. Torch rooms may not include spdlog (the wheel ships its own fmt headers, which come first
// and break it), so they log through these functions; log.cpp alone knows spdlog.
// Threads: every function may be called from any thread. Never called from the hot path of a training step.

#include <functional>
#include <string>
#include <string_view>

namespace moescope::log {

enum class Level { kInfo, kWarning, kError };

/// One line; control characters in `text` are escaped.
void write(Level level, std::string_view text);
inline void info(std::string_view text) { write(Level::kInfo, text); }
inline void warning(std::string_view text) { write(Level::kWarning, text); }
inline void error(std::string_view text) { write(Level::kError, text); }

/// Also writes every line to `path` until close_file(). Returns an empty text, or why it cannot.
std::string open_file(const std::string& path);
void close_file();

/// Console lines on stderr: on by default in programs, off in tests and under a progress bar.
void set_console(bool enabled);

}  // namespace moescope::log
