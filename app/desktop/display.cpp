#include "app/desktop/display.h"

#include <xcb/xcb.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace moescope::app {
namespace {

constexpr const char* kInstead = "without one, use: ./lab cli train sample_configs/two_stage_workshop.toml";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool x_answers() {
  xcb_connection_t* connection = xcb_connect(nullptr, nullptr);
  const bool good = xcb_connection_has_error(connection) == 0;
  xcb_disconnect(connection);
  return good;
}

bool wayland_answers() {
  const std::filesystem::path name = environment("WAYLAND_DISPLAY");
  std::error_code failure;
  return std::filesystem::exists(std::filesystem::path(environment("XDG_RUNTIME_DIR")) / name, failure);
}

}  // namespace

std::string display_problem() {
  const std::string platform = environment("QT_QPA_PLATFORM");
  if (!platform.empty() && platform.rfind("xcb", 0) != 0 && platform.rfind("wayland", 0) != 0) return {};
  const std::string x = environment("DISPLAY"), wayland = environment("WAYLAND_DISPLAY");
  if (x.empty() && wayland.empty())
    return std::string("There is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set); ") +
           kInstead;
  if (!x.empty() && x_answers()) return {};
  if (!wayland.empty() && wayland_answers()) return {};
  return "The display " + (x.empty() ? wayland : x) + " does not answer; " + kInstead;
}

bool asks_for_words(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    for (const char* word : {"--help", "-h", "--help-all", "--version", "-v"})
      if (std::strcmp(argv[i], word) == 0) return true;
  return false;
}

}  // namespace moescope::app
