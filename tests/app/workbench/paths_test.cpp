#include "app/workbench/paths.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace moescope::app {
namespace {

TEST(Paths, TheCacheIsWhereTheEnvironmentSays) {
  const char* before = std::getenv("MOESCOPE_CACHE");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("MOESCOPE_CACHE", "/some/place", 1);
  EXPECT_EQ(cache_folder(), "/some/place");
  ::setenv("MOESCOPE_CACHE", "a/../near", 1);
  EXPECT_EQ(cache_folder(), (std::filesystem::current_path() / "near").string());
  ::unsetenv("MOESCOPE_CACHE");
  ::setenv("HOME", "/home/someone", 1);
  EXPECT_EQ(cache_folder(), "/home/someone/.cache/moescope");
  if (before != nullptr) ::setenv("MOESCOPE_CACHE", kept.c_str(), 1);
}

TEST(Paths, SamplesAndResourcesAreFoundFromTheExecutable) {
  EXPECT_TRUE(std::filesystem::is_directory(sample_configs_folder()));
  EXPECT_TRUE(std::filesystem::is_directory(resources_folder()));
}

}  // namespace
}  // namespace moescope::app
