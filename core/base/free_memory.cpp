#include "core/base/free_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>

namespace moescope {
namespace {

namespace fs = std::filesystem;

/// "name: 12 kB" or "name 12" in each line.
std::map<std::string, std::int64_t> numbers_in(const fs::path& file) {
  std::map<std::string, std::int64_t> numbers;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t number = 0;
    if (!(words >> name >> number)) continue;
    if (name.ends_with(':')) name.pop_back();
    numbers[name] = number;
  }
  return numbers;
}

/// The only number of a file; nothing where it says "max" or does not exist.
std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  std::int64_t number = 0;
  if (!(stream >> number)) return std::nullopt;
  return number;
}

std::optional<std::int64_t> free_on_machine(const fs::path& root) {
  const auto numbers = numbers_in(root / "proc/meminfo");
  const auto available = numbers.find("MemAvailable");
  if (available == numbers.end()) return std::nullopt;
  const auto swap = numbers.find("SwapFree");
  return 1024 * (available->second + (swap == numbers.end() ? 0 : swap->second));
}

/// Where the two generations of control groups keep their figures.
struct GroupFiles {
  const char* folder;
  const char* limit;
  const char* used;
  std::array<const char*, 3> cache;  ///< in memory.stat: what is given up when memory is short, mostly files
};
constexpr GroupFiles kUnified{
    "sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file", "active_file", "slab_reclaimable"}};
constexpr GroupFiles kOwnTree{"sys/fs/cgroup/memory",
                              "memory.limit_in_bytes",
                              "memory.usage_in_bytes",
                              {"total_inactive_file", "total_active_file", ""}};

void take_least(std::optional<std::int64_t>& least, std::int64_t number) {
  least = std::min(least.value_or(number), number);
}

/// Of the process' group and all groups around it. Within a container its own folder is the root of what is mounted.
std::optional<std::int64_t> free_in_group(const fs::path& root) {
  std::optional<std::int64_t> least;
  std::ifstream lines(root / "proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && (',' + controllers + ',').find(",memory,") == std::string::npos) continue;
    const GroupFiles& files = unified ? kUnified : kOwnTree;
    for (fs::path group = line.substr(second + 1);; group = group.parent_path()) {
      const fs::path folder = root / files.folder / group.relative_path();
      const auto limit = number_in(folder / files.limit), used = number_in(folder / files.used);
      if (limit && used) {
        auto numbers = numbers_in(folder / "memory.stat");
        std::int64_t cache = 0;
        for (const char* name : files.cache) cache += numbers[name];
        take_least(least, std::max<std::int64_t>(0, *limit - std::max<std::int64_t>(0, *used - cache)));
      }
      if (!group.has_relative_path()) break;
    }
  }
  return least;
}

/// The soft limit in a line of /proc/self/limits: "Max data size   1024   unlimited   bytes"; nothing without one.
std::optional<std::int64_t> soft_limit(const fs::path& limits, std::string_view name) {
  std::ifstream lines(limits);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream words(line.substr(name.size()));
    std::int64_t bytes = 0;
    if (words >> bytes) return bytes;
  }
  return std::nullopt;
}

/// Address space (-v) and data (-d) that the process may still ask for.
std::optional<std::int64_t> free_for_process(const fs::path& root) {
  std::ifstream stream(root / "proc/self/statm");
  std::array<std::int64_t, 6> pages{};  // size, resident, shared, text, lib, data
  for (std::int64_t& one : pages) stream >> one;
  if (!stream) return std::nullopt;
  std::optional<std::int64_t> least;
  const auto look = [&](std::string_view name, std::int64_t used_pages) {
    const std::optional<std::int64_t> limit = soft_limit(root / "proc/self/limits", name);
    if (!limit) return;
    take_least(least, std::max<std::int64_t>(0, *limit - used_pages * sysconf(_SC_PAGESIZE)));
  };
  look("Max address space", pages[0]);
  look("Max data size", pages[5]);
  return least;
}

}  // namespace

std::int64_t kept_by_allocator() { return static_cast<std::int64_t>(mallinfo2().fordblks); }

FreeMemory free_memory(const fs::path& root, std::int64_t kept) {
  FreeMemory least{std::numeric_limits<std::int64_t>::max(), FreeMemory::Limit::kUnknown};
  const auto take = [&least](std::optional<std::int64_t> bytes, FreeMemory::Limit limit) {
    if (bytes && *bytes < least.bytes) least = {*bytes, limit};
  };
  take(free_on_machine(root), FreeMemory::Limit::kMachine);
  take(free_in_group(root), FreeMemory::Limit::kGroup);
  take(free_for_process(root), FreeMemory::Limit::kProcess);
  if (least.limit != FreeMemory::Limit::kUnknown) least.bytes += kept;
  return least;
}

std::string in_words(FreeMemory::Limit limit, const std::string& amount) {
  switch (limit) {
    case FreeMemory::Limit::kMachine: return "this machine has " + amount + " free";
    case FreeMemory::Limit::kGroup: return "the memory limit of its control group (container, job) leaves " + amount;
    case FreeMemory::Limit::kProcess: return "the limit of this process (ulimit) leaves " + amount;
    case FreeMemory::Limit::kUnknown: break;
  }
  return "it is not known how much is free";
}

}  // namespace moescope
