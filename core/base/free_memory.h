#pragma once
// How much memory this process can still take, and what ends it. Linux. Threads: any; reads files of the system.

#include <cstdint>
#include <filesystem>
#include <string>

namespace moescope {

struct FreeMemory {
  enum class Limit {
    kUnknown,  ///< the system tells nothing: `bytes` is the largest number there is
    kMachine,  ///< memory and swap space of the machine
    kGroup,    ///< the control group's limit: of a container, a service or a batch job
    kProcess,  ///< `ulimit -v` or `ulimit -d`
  };
  std::int64_t bytes = 0;
  Limit limit = Limit::kUnknown;
};

/// Bytes that this process has freed and its allocator keeps for it: free to the program, taken to the system.
std::int64_t kept_by_allocator();

/// The tightest of the limits, and `kept` beside it. `root` stands for "/", for tests.
FreeMemory free_memory(const std::filesystem::path& root = "/", std::int64_t kept = kept_by_allocator());

/// "this machine has 3.1 GB free", "the limit of this process (ulimit) leaves 1.0 GB"; `amount` is the number in words.
std::string in_words(FreeMemory::Limit limit, const std::string& amount);

}  // namespace moescope
