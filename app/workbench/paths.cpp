#include "app/workbench/paths.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace moescope::app {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path home() {
  if (const std::string home = environment("HOME"); !home.empty()) return home;
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr && entry->pw_dir != nullptr ? fs::path(entry->pw_dir) : fs::temp_directory_path();
}

/// A folder of the source tree: the executable lies a few levels below it (build/release/bin).
std::string source_tree_folder(const char* name) {
  std::error_code failure;
  constexpr int kLevels = 5;
  fs::path place = fs::read_symlink("/proc/self/exe", failure).parent_path();
  for (int level = 0; !failure && level < kLevels; ++level, place = place.parent_path())
    if (fs::is_directory(place / name, failure)) return (place / name).string();
  const fs::path fallback = fs::path(MOESCOPE_SOURCE_DIR) / name;
  return fs::is_directory(fallback, failure) ? fallback.string() : "";
}

}  // namespace

std::string cache_folder() {
  const std::string chosen = environment("MOESCOPE_CACHE");
  std::error_code failure;
  const fs::path folder = chosen.empty() ? home() / ".cache" / "moescope" : fs::path(chosen);
  const fs::path absolute = fs::absolute(folder, failure);
  return failure ? folder.string() : absolute.lexically_normal().string();
}

std::string sample_configs_folder() { return source_tree_folder("sample_configs"); }

std::string resources_folder() { return source_tree_folder("resources"); }

}  // namespace moescope::app
