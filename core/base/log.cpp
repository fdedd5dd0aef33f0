#include "core/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "core/base/mutex.h"
#include "core/base/text.h"

namespace moescope::log {
namespace {

struct Sinks {
  Mutex mutex;
  std::shared_ptr<spdlog::logger> console MOESCOPE_GUARDED_BY(mutex);
  std::shared_ptr<spdlog::logger> file MOESCOPE_GUARDED_BY(mutex);
  bool console_enabled MOESCOPE_GUARDED_BY(mutex) = true;
};

// Kept for the life of the process: lines may be written while statics are torn down.
Sinks& sinks() {
  static Sinks& instance = *new Sinks;
  return instance;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void write(Level level, std::string_view text) {
  const std::string line = printable(text);
  Sinks& s = sinks();
  MutexLock lock(s.mutex);
  if (s.console_enabled) {
    if (!s.console) {
      s.console = std::make_shared<spdlog::logger>("console", std::make_shared<spdlog::sinks::stderr_sink_mt>());
      s.console->set_pattern("moescope: %l: %v");
    }
    s.console->log(spdlog_level(level), "{}", line);
  }
  if (s.file) {
    s.file->log(spdlog_level(level), "{}", line);
    s.file->flush();
  }
}

std::string open_file(const std::string& path) {
  Sinks& s = sinks();
  MutexLock lock(s.mutex);
  try {
    s.file = std::make_shared<spdlog::logger>("file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
    s.file->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  } catch (const std::exception& failure) {
    s.file.reset();
    return failure.what();
  }
  return {};
}

void close_file() {
  Sinks& s = sinks();
  MutexLock lock(s.mutex);
  s.file.reset();
}

void set_console(bool enabled) {
  Sinks& s = sinks();
  MutexLock lock(s.mutex);
  s.console_enabled = enabled;
}

}  // namespace moescope::log
